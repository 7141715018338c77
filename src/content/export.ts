/** A part of a DAG as a CAR file (trustless-gateway specification, "CAR Responses"): blocks with which a reader checks all of it. */
import { encode } from "@ipld/dag-cbor";
import { varint } from "multiformats";
import type { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import type { Blocks } from "./blocks.ts";
import { everything, part, shards, single, type Step, walk, type WalkOptions } from "./dag.ts";
import type { Range } from "./file.ts";
import type { Found } from "./read.ts";
import { documentFormat } from "./document.ts";
import { decodeNode } from "./unixfs.ts";

/** What is sent of the block at the end of a path, after the blocks of the path itself. */
export interface Selection {
  /** Everything below it; what a file or a listing of a directory needs; the block alone. */
  scope: "all" | "entity" | "block";
  /** Of a file, only these bytes. */
  bytes?: EntityBytes | undefined;
}

/** First and last byte; negative ones count from the file's end, and no last one is its end. */
export interface EntityBytes {
  from: number;
  to: number | undefined;
}

/**
 * @helia/car is not used: it tells duplicates by a probabilistic filter, which leaves out blocks that are none, and reads one
 * block at a time.
 *
 * @throws {NethoodError} as walk, in the middle
 */
export async function* exportCar(
  blocks: Blocks,
  found: Found,
  selection: Selection,
  options: WalkOptions = {},
): AsyncGenerator<Uint8Array> {
  const steps = [...found.above.map(single), await target(blocks, found.cid, selection, options)];
  yield section(encode({ version: 1, roots: [found.cid] }));
  for await (const { cid, block } of walk(blocks, steps, options)) {
    // An identity CID is its block (specification: it "MUST NOT" be in a CAR).
    if (cid.multihash.code !== identity.code) yield section(cid.bytes, block);
  }
}

async function target(
  blocks: Blocks,
  cid: CID,
  { scope, bytes }: Selection,
  { signal }: WalkOptions,
): Promise<Step> {
  if (scope === "all") return everything(cid);
  if (scope === "block" || documentFormat(cid)) return single(cid);
  const node = decodeNode(cid, await blocks.get(cid, { signal }));
  if (node.kind !== "file") return shards(cid);
  const file = { start: 0, end: node.size };
  const range = bytes ? resolve(bytes, node.size) : file;
  return range.start < range.end ? part(cid, range, file) : single(cid);
}

/** The range of a file of that size; empty where it lies outside, or ends before it begins. */
export function resolve({ from, to = -1 }: EntityBytes, size: number): Range {
  const start = from < 0 ? Math.max(0, size + from) : from;
  const last = to < 0 ? size + to : Math.min(to, size - 1);
  return { start, end: last + 1 };
}

/** Bytes behind their length. */
function section(...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const prefix = varint.encodingLength(length);
  const bytes = new Uint8Array(prefix + length);
  varint.encodeTo(length, bytes);
  let at = prefix;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
