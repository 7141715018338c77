/** A file as its blocks: what a peer that speaks by hand has to offer. */
import type { CID } from "multiformats/cid";
import { createMemoryBlocks, RAW } from "./memory-blocks.ts";
import { file } from "./memory-files.ts";
import { createRandom } from "./random.ts";

export interface FileBlocks {
  readonly root: CID;
  /** The group's members: the root, then the leaves. */
  readonly members: { cid: CID; bytes: Uint8Array<ArrayBuffer> }[];
  readonly leaves: CID[];
  /** What is in the file. */
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A file of so many leaves; no two files are alike unless their seeds are. `fileSize` is what its root says, if that is a lie. */
export async function createFileBlocks(
  { leaves: count = 8, size = 20_000, seed = 1, fileSize }: {
    leaves?: number;
    size?: number;
    seed?: number;
    fileSize?: number;
  } = {},
): Promise<FileBlocks> {
  const blocks = createMemoryBlocks();
  const content = createRandom(seed).bytes(count * size);
  const leaves: CID[] = [];
  for (let i = 0; i < count; i++) {
    leaves.push(await blocks.put(RAW, content.slice(i * size, (i + 1) * size)));
  }
  const root = await blocks.node(
    file(leaves, leaves.map(() => size), { fileSize: BigInt(fileSize ?? count * size) }),
  );
  const members = [];
  for (const cid of [root, ...leaves]) {
    members.push({ cid, bytes: new Uint8Array(await blocks.get(cid)) });
  }
  return { root, members, leaves, content };
}
