/** Directories, flat and sharded (HAMT): one name looked up, or all of them listed. */
import { murmur3128 } from "@multiformats/murmur3";
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { broken, decodeNode, type Link, type UnixNode } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };

export type DirectoryNode = Extract<UnixNode, { kind: "directory" | "shard" }>;

/** A hash of 64 bits gives a HAMT of fan-out 256 eight levels; a deeper one is hostile. */
const HASH_BITS = 64;

/**
 * The child of that name and the sub-shards that were read on the way to it; undefined where there is none.
 * Of two links of one name the first counts (specification: unixfs, "Duplicate names").
 */
export async function find(
  blocks: Blocks,
  cid: CID,
  node: DirectoryNode,
  name: string,
  options: Options = {},
): Promise<{ link: Link; shards: CID[] } | undefined> {
  if (node.kind === "directory") {
    const link = node.links.find((link) => link.name === name);
    return link && { link, shards: [] };
  }
  const hash = await murmur3128.encode(new TextEncoder().encode(name));
  const shards: CID[] = [];
  for (let taken = 0; taken + node.bits <= HASH_BITS; taken += node.bits) {
    const prefix = prefixOf(take(hash, taken, node.bits), node.bits);
    const link = node.links.find((link) => link.name === prefix + name || link.name === prefix);
    if (link === undefined) return undefined;
    if (link.name !== prefix) return { link: { ...link, name }, shards };
    shards.push(link.cid);
    const child = decodeNode(link.cid, await blocks.get(link.cid, options));
    if (child.kind !== "shard" || child.bits !== node.bits) {
      throw broken(link.cid, "is not a shard of its directory");
    }
    node = child;
  }
  throw broken(cid, "is a directory deeper than its hash");
}

/** Every child, in the directory's own order; a sharded one is read shard by shard, as far as it is asked for. */
export async function* list(
  blocks: Blocks,
  node: DirectoryNode,
  options: Options = {},
  depth = 0,
): AsyncGenerator<Link> {
  if (node.kind === "directory") return yield* node.links;
  const width = prefixOf(0, node.bits).length;
  for (const link of node.links) {
    if (link.name.length > width) {
      yield { ...link, name: link.name.slice(width) };
      continue;
    }
    const child = decodeNode(link.cid, await blocks.get(link.cid, options));
    if (child.kind !== "shard" || depth * node.bits > HASH_BITS) {
      throw broken(link.cid, "is not a shard of its directory");
    }
    yield* list(blocks, child, options, depth + 1);
  }
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
