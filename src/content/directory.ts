/** Directories, flat and sharded (HAMT): one name looked up, or all of them listed. */
import { murmur3128 } from "@multiformats/murmur3";
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { broken, decodeNode, type Link, type UnixNode } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };

export type Shard = Extract<UnixNode, { kind: "shard" }>;

export type DirectoryNode = Extract<UnixNode, { kind: "directory" }> | Shard;

/** Names are sorted by 64 bits of their hash: a HAMT of fan-out 256 has at most eight levels; a deeper one is hostile. */
const HASH_BITS = 64;

/** The child of that name and the sub-shards that were read on the way to it; undefined where there is none. */
export async function find(
  blocks: Blocks,
  node: DirectoryNode,
  name: string,
  options: Options = {},
): Promise<{ link: Link; shards: CID[] } | undefined> {
  // A name that is no path segment is nobody's, whatever a directory says (specification: unixfs, "Restricted Names").
  if (name === "" || name.includes("/")) return undefined;
  if (node.kind === "directory") {
    const link = node.links.find((link) => link.name === name);
    return link && { link, shards: [] };
  }
  const hash = await murmur3128.encode(new TextEncoder().encode(name));
  const shards: CID[] = [];
  for (let level = 0;; level++) {
    const { bits, links } = node;
    const prefix = prefixOf(take(hash, level * bits, bits), bits);
    const link = links.find((link) => link.name === prefix + name || link.name === prefix);
    if (link === undefined) return undefined;
    if (link.name !== prefix) return { link: { name, cid: link.cid, size: link.size }, shards };
    shards.push(link.cid);
    node = await subShard(blocks, node, link.cid, level + 1, options);
  }
}

/** Every child, in the directory's own order; a sharded one is read shard by shard, as far as it is asked for. */
export async function* list(
  blocks: Blocks,
  node: DirectoryNode,
  options: Options = {},
): AsyncGenerator<Link> {
  if (node.kind === "directory") yield* node.links;
  else yield* listShard(blocks, node, 0, new Set(), options);
}

/** @param seen the shards that were read; where a name is follows from its hash, so no shard has two places */
async function* listShard(
  blocks: Blocks,
  node: Shard,
  level: number,
  seen: Set<string>,
  options: Options,
): AsyncGenerator<Link> {
  const width = prefixOf(0, node.bits).length;
  for (const link of node.links) {
    if (link.name.length > width) {
      yield { name: link.name.slice(width), cid: link.cid, size: link.size };
      continue;
    }
    if (seen.has(link.cid.toString())) throw broken(link.cid, "is in its directory twice");
    seen.add(link.cid.toString());
    const child = await subShard(blocks, node, link.cid, level + 1, options);
    yield* listShard(blocks, child, level + 1, seen, options);
  }
}

export async function subShard(
  blocks: Blocks,
  parent: Shard,
  cid: CID,
  level: number,
  options: Options,
): Promise<Shard> {
  if ((level + 1) * parent.bits > HASH_BITS) throw broken(cid, "lies deeper than a hash reaches");
  const child = decodeNode(cid, await blocks.get(cid, options));
  if (child.kind !== "shard" || child.bits !== parent.bits) {
    throw broken(cid, "is not a shard of its directory");
  }
  return child;
}

/** Bits `from` to `from + count` of the hash, most significant first. */
function take(hash: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let bit = from; bit < from + count; bit++) {
    value = value << 1 | hash[bit >> 3]! >> (7 - (bit & 7)) & 1;
  }
  return value;
}

/** A slot's number as links spell it: upper-case hex, as wide as the highest slot. */
function prefixOf(slot: number, bits: number): string {
  return slot.toString(16).toUpperCase().padStart((2 ** bits - 1).toString(16).length, "0");
}
