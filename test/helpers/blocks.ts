/** Blocks as a test wants to see them: kept in a map, or found on disk and checked without asking the store. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { base32upper } from "multiformats/bases/base32";
import type { CID } from "multiformats/cid";
import { decode } from "multiformats/hashes/digest";
import type { Blocks } from "../../src/content/blocks.ts";
import type { Store } from "../../src/content/tree.ts";

/** Keeps blocks in memory. */
export class MapBlocks implements Blocks, Store {
  readonly held: Map<string, Uint8Array> = new Map();

  put(cid: CID, bytes: Parameters<Store["put"]>[1]): CID {
    if (!(bytes instanceof Uint8Array)) throw new Error("a block in pieces");
    this.held.set(String(cid), bytes);
    return cid;
  }

  get(cid: CID): Promise<Uint8Array> {
    const block = this.held.get(String(cid));
    return block ? Promise.resolve(block) : Promise.reject(new Error(`no block ${cid}`));
  }
}

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
