/** Two directories compared, name by name; shards that are the same in both are not read. */
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { type DirectoryNode, list, type Shard, subShard } from "./directory.ts";
import type { Link } from "./unixfs.ts";

/** A name that does not mean the same in both; undefined where it is missing. */
export interface Difference {
  name: string;
  from?: Link;
  to?: Link;
}

type Options = { signal?: AbortSignal | undefined };

/** @throws {NethoodError} BAD_BLOCK, NO_PROVIDERS */
export async function* differing(
  blocks: Blocks,
  from: DirectoryNode,
  to: DirectoryNode,
  options: Options = {},
): AsyncGenerator<Difference> {
  if (from.kind === "shard" && to.kind === "shard" && from.bits === to.bits) {
    yield* differingShards(blocks, from, to, 0, options);
  } else {
    yield* compare(await all(blocks, from, options), await all(blocks, to, options));
  }
}

async function* differingShards(
  blocks: Blocks,
  from: Shard,
  to: Shard,
  level: number,
  options: Options,
): AsyncGenerator<Difference> {
  const [before, after] = [bySlot(from), bySlot(to)];
  for (const slot of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(slot) ?? [], after.get(slot) ?? []];
    if (one.length === other.length && one.every((link, i) => same(link, other[i]!))) continue;
    const [deep, deeper] = [shardIn(slot, one), shardIn(slot, other)];
    if (deep && deeper) {
      const next = await subShard(blocks, from, deep, level + 1, options);
      const then = await subShard(blocks, to, deeper, level + 1, options);
      yield* differingShards(blocks, next, then, level + 1, options);
    } else {
      // Not both have this slot divided further: few names are in it.
      yield* compare(
        await inSlot(blocks, from, slot, one, level, options),
        await inSlot(blocks, to, slot, other, level, options),
      );
    }
  }
}

/** All that is in a slot: children, or what its shard has. */
async function inSlot(
  blocks: Blocks,
  shard: Shard,
  slot: string,
  links: Link[],
  level: number,
  options: Options,
): Promise<Link[]> {
  const deeper = shardIn(slot, links);
  if (deeper === undefined) {
    return links.map(({ name, cid, size }) => ({ name: name.slice(slot.length), cid, size }));
  }
  const node = await subShard(blocks, shard, deeper, level + 1, options);
  return await all(blocks, node, options);
}

async function all(blocks: Blocks, node: DirectoryNode, options: Options): Promise<Link[]> {
  const links: Link[] = [];
  for await (const link of list(blocks, node, options)) links.push(link);
  return links;
}

/** The shard that a slot is divided into. */
function shardIn(slot: string, links: Link[]): CID | undefined {
  return links.find(({ name }) => name === slot)?.cid;
}

function bySlot({ links, bits }: Shard): Map<string, Link[]> {
  const width = (2 ** bits - 1).toString(16).length;
  return Map.groupBy(links, ({ name }) => name.slice(0, width));
}

function* compare(before: Link[], after: Link[]): Generator<Difference> {
  const old = new Map(before.map((link) => [link.name, link]));
  for (const to of after) {
    const from = old.get(to.name);
    old.delete(to.name);
    if (from === undefined) yield { name: to.name, to };
    else if (!same(from, to)) yield { name: to.name, from, to };
  }
  for (const from of old.values()) yield { name: from.name, from };
}

function same(one: Link, other: Link): boolean {
  return one.name === other.name && one.cid.equals(other.cid);
}
