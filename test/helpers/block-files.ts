/** Blocks as files on disk, checked without asking the store. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { NextToLast } from "blockstore-fs/sharding";
import type { CID } from "multiformats/cid";
import { base32upper } from "multiformats/bases/base32";
import { decode } from "multiformats/hashes/digest";

/** What lies in the folder of a {@link DiskBlocks}: whole blocks, files that are not what their name says, unfinished ones. */
export async function inspect(
  dir: string,
): Promise<{ whole: number; damaged: string[]; unfinished: string[] }> {
  const found = { whole: 0, damaged: [] as string[], unfinished: [] as string[] };
  const files = await readdir(dir, { recursive: true, withFileTypes: true });
  for (const entry of files) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    if (!file.endsWith(".data")) {
      found.unfinished.push(file);
      continue;
    }
    const { digest } = decode(base32upper.decode(basename(file, ".data")));
    const sha256 = createHash("sha256").update(await readFile(file)).digest();
    if (sha256.equals(digest)) found.whole++;
    else found.damaged.push(file);
  }
  return found;
}

/** The file of a block in the folder of a {@link DiskBlocks}. */
export function fileOf(dir: string, cid: CID): string {
  const { dir: shard, file } = new NextToLast().encode(cid);
  return join(dir, shard, file);
}
