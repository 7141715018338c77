/** A node for tests of pins: trees are put into it, and it is told which of their blocks are still on its disk. */
import { join } from "node:path";
import { exporter } from "ipfs-unixfs-exporter";
import { CID } from "multiformats/cid";
import type { Blocks } from "../../src/content/blocks.ts";
import type { Node } from "../../src/node.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { createLoopbackNode } from "./loopback-node.ts";
import { createMemoryBlocks } from "./memory-blocks.ts";

const MIB = 1024 * 1024;

export interface Home extends AsyncDisposable {
  node: Node;
  /** The same blocks in memory, given out at once. */
  source: Blocks;
  /** Stores files; the root, and every block below it from the root on. */
  add(files: Record<string, Uint8Array>): Promise<[CID, string[]]>;
  tree(root: CID): Promise<[CID, string[]]>;
  cid(root: CID, path: string): Promise<CID>;
  /** Those of the blocks that are on this disk, whatever the node has in memory. */
  onDisk(cids: string[]): Promise<string[]>;
}

/** A node that nobody can reach, in a folder of its own. */
export async function createHome(): Promise<Home> {
  const node = await createLoopbackNode();
  const source = createMemoryBlocks();

  const tree = async (root: CID): Promise<[CID, string[]]> => {
    const all: string[] = [];
    await walk(root);
    return [root, all];
    async function walk(cid: CID): Promise<void> {
      if (all.includes(String(cid))) return;
      all.push(String(cid));
      const entry = await exporter(cid, source.store);
      const links = entry.type === "raw"
        ? []
        : (entry as { node: { Links: { Hash: CID }[] } }).node.Links;
      for (const { Hash } of links) await walk(Hash);
    }
  };

  return {
    node,
    source,
    tree,
    async add(files) {
      const entries = Object.entries(files).map(([path, content]) => ({ path, content }));
      const [root, all] = await tree(await source.add(entries));
      for (const cid of all.map((text) => CID.parse(text))) {
        await node.helia.blockstore.put(cid, await source.get(cid));
      }
      return [root, all];
    },
    cid: async (root, path) => (await exporter(`${root}/${path}`, source.store)).cid,
    async onDisk(cids) {
      const disk = new DiskBlocks(join(node.dir, "blocks"));
      const found = await Promise.all(cids.map((cid) => disk.read(CID.parse(cid))));
      return cids.filter((_, i) => found[i] !== undefined);
    },
    [Symbol.asyncDispose]: () => node.stop(),
  };
}

/** The same blocks, and which of them were asked for. */
export function counted(blocks: Blocks): { blocks: Blocks; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    blocks: {
      get(cid, options) {
        asked.push(String(cid));
        return blocks.get(cid, options);
      },
    },
  };
}

/** Bytes of which no MiB is like another. */
export function bytes(length: number, seed: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => seed * 31 + (i / MIB | 0));
}
