/** A file as its blocks: what a peer that speaks by hand has to offer. */
import { CID } from "multiformats/cid";
import type { NodeOptions } from "../../src/node.ts";
import { concat } from "./bytes.ts";
import { createLoopbackNode, type LoopbackNode } from "./loopback-node.ts";
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

/** A node that has the file. */
export async function createSeed(
  file: FileBlocks,
  options: NodeOptions = {},
): Promise<LoopbackNode> {
  const node = await createLoopbackNode(options);
  for (const { cid, bytes } of file.members) await node.helia.blockstore.put(cid, bytes);
  return node;
}

/** What a node reads of the file. A test that fails meanwhile leaves it behind, which is not to end the process. */
export function readAll(node: LoopbackNode, { root }: FileBlocks): Promise<Uint8Array> {
  const read = async () => {
    const { entry } = await node.open(`/ipfs/${root}`);
    if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
    return await concat(entry.bytes());
  };
  const reading = read();
  reading.catch(() => undefined); // who waits for it is told all the same
  return reading;
}

/** CIDs of folders that nobody has. */
export function unknown({ root }: FileBlocks, i: number): CID {
  const bytes = new Uint8Array(root.bytes);
  new DataView(bytes.buffer).setUint32(4, i);
  return CID.decode(bytes);
}
