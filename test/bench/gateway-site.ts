/** What the gateway is measured with: files of four sizes, a directory of 100,000 entries and many of ten. */
import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import { createNode, createSeeder } from "../../mod.ts";
import { storeDirectory } from "../../src/content/tree.ts";
import type { Link } from "../../src/content/unixfs.ts";
import { addBytes } from "../../src/content/write.ts";

/** Names of the files below the site's root. */
export type FileName = "1k.bin" | "100k.bin" | "1m.bin" | "100m.bin";

const KIB: Record<FileName, number> = {
  "1k.bin": 1,
  "100k.bin": 100,
  "1m.bin": 1024,
  "100m.bin": 100 * 1024,
};

const MANY = 100_000, FEW = 10;

/** How many files are opened in a directory of either kind. */
export const SAMPLES = 50;

export interface Content {
  /** The folder that nginx serves. */
  root: string;
  /** The node's folder, with all of it in its store. */
  nodeDir: string;
  /** Of the folder. */
  cid: CID;
  /** Paths in the middle of one directory of 100,000 entries, and in the middle of directories of ten. */
  middle: { many: string[]; few: string[] };
}

/** Writes it below `dir`, as files and into the store of a node. */
export async function createContent(dir: string): Promise<Content> {
  const root = join(dir, "site"), nodeDir = join(dir, "node");
  await mkdir(root);
  for (const [name, size] of Object.entries(KIB)) {
    await writeNoise(join(root, name), size * 1024);
  }
  await using node = await createNode({ dir: nodeDir, listen: [], mdns: false });
  const { cid } = await createSeeder(node).publish(root, { name: "bench.example.org" });

  const store = node.helia.blockstore;
  const files: Link[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const body = new TextEncoder().encode(`The file ${n} of a large directory.\n`);
    files.push({ name: "", cid: await addBytes(store, body), size: body.byteLength });
  }
  const entries = (first: number, count: number) =>
    Array.from({ length: count }, (_, n) => ({ ...files[n % SAMPLES]!, name: name(first + n) }));
  const big = await storeDirectory(store, entries(0, MANY));
  const few: string[] = [];
  for (let n = 0; n < SAMPLES; n++) {
    const small = await storeDirectory(store, entries(n * FEW, FEW));
    few.push(`/ipfs/${small.cid}/${name(n * FEW + FEW / 2)}`);
  }
  const many = few.map((_, n) => `/ipfs/${big.cid}/${name(MANY / 2 + n)}`);
  return { root, nodeDir, cid, middle: { many, few } };
}

function name(n: number): string {
  return `entry-${String(n).padStart(6, "0")}.txt`;
}

/** A file no part of which is like another. */
async function writeNoise(path: string, size: number): Promise<void> {
  await using file = await open(path, "w");
  const stretch = 64 * 1024;
  for (let at = 0; at < size; at += stretch) {
    const seed = createHash("sha256").update(`${size} ${at}`).digest();
    const bytes = new Uint8Array(Math.min(stretch, size - at));
    for (let i = 0; i < bytes.length; i++) bytes[i] = seed[i % 32]! ^ (i >> 5);
    await file.write(bytes);
  }
}
