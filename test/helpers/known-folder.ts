/** Folders that are published again and again, by a program that is started anew each time. */
import { join } from "node:path";
import { knownFiles } from "../../src/content/known.ts";
import type { Store } from "../../src/content/tree.ts";
import { type Added, addFolder, type AddOptions } from "../../src/content/write.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { createFileRecords, type FileRecord } from "../../src/store/files.ts";
import { Records } from "../../src/store/records.ts";
import { createMemoryBlocks } from "./memory-blocks.ts";

const SITE = "docs.example.org";

/** After this nothing that was changed before it counts as too new. */
export const OLD_MS = 2_200;

/** Publishes a folder with what is remembered in another, as a node does that is started for it and stopped again. */
export async function seed(
  home: string,
  site: string,
  options: Omit<AddOptions, "known"> & { name?: string } = {},
): Promise<Added & { blocks: DiskBlocks; puts: number }> {
  const records = new Records(home);
  const blocks = new DiskBlocks(join(home, "blocks"));
  await blocks.open();
  try {
    const known = (how: string) =>
      knownFiles(createFileRecords(records), blocks, options.name ?? SITE, how);
    let puts = 0;
    const store: Store = { put: (...args) => (puts++, blocks.put(...args)) };
    const added = await addFolder(store, site, { ...options, known });
    return { ...added, blocks, puts };
  } finally {
    records.close();
  }
}

/** What is remembered of a site's files and directories. */
export function knownOf(home: string): Record<"files" | "directories", Map<string, FileRecord>> {
  const records = new Records(home);
  try {
    const files = createFileRecords(records);
    return { files: files.of(SITE), directories: files.directories.of(SITE) };
  } finally {
    records.close();
  }
}

/** What it is, as somebody says who knows nothing. */
export async function truth(site: string, options: AddOptions = {}): Promise<string> {
  return String((await addFolder(createMemoryBlocks().store, site, options)).cid);
}
