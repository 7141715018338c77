/** Stores of blocks on disk, blocks to put there, and their files. */
import { randomBytes } from "node:crypto";
import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import { DiskBlocks } from "../../src/store/blocks.ts";

export const KIB = 1024;

export interface Block {
  cid: CID;
  bytes: Uint8Array;
}

export async function block(size: number): Promise<Block> {
  const bytes = new Uint8Array(randomBytes(size));
  return { cid: CID.createV1(RAW, await sha256.digest(bytes)), bytes };
}

export async function openBlocks(dir: string, memory = 0): Promise<DiskBlocks> {
  const blocks = new DiskBlocks(dir, { memory });
  await blocks.open();
  return blocks;
}

/** The block files below a folder. */
export function filesIn(dir: string): string[] {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".data")).map((file) => join(dir, file));
}

/** The one block file below a folder. */
export function fileIn(dir: string): string {
  return filesIn(dir)[0]!;
}

export function removeFiles(dir: string): void {
  filesIn(dir).forEach((file) => unlinkSync(file));
}
