/** Files in {@link MemoryBlocks}: made by hand, and read back. */
import type { CID } from "multiformats/cid";
import { type Range, readFile } from "../../src/content/file.ts";
import { decodeNode, type UnixNode } from "../../src/content/unixfs.ts";
import { concat, utf8 } from "./bytes.ts";
import { type MemoryBlocks, RAW, type Wire } from "./memory-blocks.ts";

export const leaf = (blocks: MemoryBlocks, text: string): Promise<CID> =>
  blocks.put(RAW, utf8(text));

/** A node that says of its parts what it is told to say. */
export function file(parts: CID[], sizes: number[], meta: Wire = {}): Wire {
  return {
    type: "FILE",
    links: parts.map((cid) => ({ cid })),
    blockSizes: sizes.map(BigInt),
    ...meta,
  };
}

export function decodeFile(cid: CID, block: Uint8Array): Extract<UnixNode, { kind: "file" }> {
  const node = decodeNode(cid, block);
  if (node.kind !== "file") throw new Error(`a ${node.kind}`);
  return node;
}

/** All bytes of a file, or of a range of it. */
export async function read(blocks: MemoryBlocks, root: CID, range?: Range): Promise<Uint8Array> {
  return await concat(readFile(blocks, root, decodeFile(root, await blocks.get(root)), range));
}
