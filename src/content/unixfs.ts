/**
 * One UnixFS node, decoded: what a block says, without the wire format.
 * Source: https://specs.ipfs.tech/unixfs/
 */
import { code as DAG_PB, decode, type PBNode } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import type { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import { NethoodError } from "../errors.ts";

/** A named child of a directory; `size` is that of the whole DAG below it in bytes, as its parent claims (Tsize). */
export interface Link {
  name: string;
  cid: CID;
  size: number;
}

/** A part of a file, with the number of content bytes that it must hold. */
export interface Part {
  cid: CID;
  size: number;
}

export type UnixNode =
  | { kind: "file"; size: number; data: Uint8Array; parts: Part[] }
  | { kind: "directory"; links: Link[] }
  | { kind: "shard"; links: Link[]; bits: number }
  | { kind: "symlink"; target: string };

/** Largest HAMT fan-out that is followed (specification: 1024; always a power of two and a multiple of eight). */
const MAX_FANOUT = 1024;

/**
 * @throws {NethoodError} UNSUPPORTED for a codec that is not UnixFS, BAD_BLOCK for bytes that break the specification
 */
export function decodeNode(cid: CID, block: Uint8Array): UnixNode {
  if (cid.code === RAW) return { kind: "file", size: block.byteLength, data: block, parts: [] };
  if (cid.code !== DAG_PB) {
    throw new NethoodError(
      "UNSUPPORTED",
      `${cid} is not a file or folder (codec 0x${cid.code.toString(16)}).`,
      {
        hint: "Only UnixFS content (dag-pb and raw blocks) can be opened as a page.",
      },
    );
  }
  let node: PBNode;
  let meta: UnixFS;
  try {
    node = decode(block);
    if (node.Data === undefined) throw new Error("no UnixFS data");
    meta = UnixFS.unmarshal(node.Data);
  } catch (cause) {
    throw broken(cid, "cannot be decoded", cause);
  }
  switch (meta.type) {
    case "raw":
    case "file":
      return file(cid, node, meta);
    case "directory":
      return { kind: "directory", links: links(cid, node) };
    case "hamt-sharded-directory": {
      const fanout = Number(meta.fanout ?? 0);
      const bits = Math.log2(fanout);
      if (!Number.isInteger(bits) || fanout % 8 !== 0 || fanout > MAX_FANOUT) {
        throw broken(cid, `has a fan-out of ${fanout}`);
      }
      return { kind: "shard", links: links(cid, node), bits };
    }
    case "symlink":
      return { kind: "symlink", target: new TextDecoder().decode(meta.data) };
    default:
      throw broken(cid, `is of the unknown kind ${meta.type}`);
  }
}

/** An error about one block that breaks the specification. */
export function broken(cid: CID, how: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_BLOCK", `The block ${cid} ${how}.`, { cause });
}

function file(cid: CID, node: PBNode, meta: UnixFS): UnixNode {
  if (node.Links.length !== meta.blockSizes.length) {
    throw broken(cid, "has more links than sizes, or fewer");
  }
  const data = meta.data ?? new Uint8Array();
  const parts = node.Links.map((link, i) => ({ cid: link.Hash, size: Number(meta.blockSizes[i]) }));
  const size = parts.reduce((sum, part) => sum + part.size, data.byteLength);
  if (!Number.isSafeInteger(size)) throw broken(cid, "claims an impossible size");
  return { kind: "file", size, data, parts };
}

function links(cid: CID, node: PBNode): Link[] {
  return node.Links.map((link) => {
    if (link.Name === undefined) throw broken(cid, "has a link without a name");
    return { name: link.Name, cid: link.Hash, size: Number(link.Tsize ?? 0) };
  });
}
