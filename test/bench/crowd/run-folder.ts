/**
 * A folder for one run. When the run is over its files are emptied at once, and removed only when the bench ends: whenever ext4
 * makes a file, it looks at every inode that was removed in the last five minutes, and passes over them one by one
 * (`recently_deleted` in fs/ext4/ialloc.c). That took up to a fifth of the processor from the run that came next.
 */
import { rmSync } from "node:fs";
import { mkdtemp, readdir, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Folder } from "../../helpers/folder.ts";

const made: string[] = [];
process.on("exit", () => made.forEach(remove));

export async function createRunFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "nethood-run-"));
  made.push(path);
  return { path, [Symbol.asyncDispose]: () => emptyFiles(path) };
}

async function emptyFiles(path: string): Promise<void> {
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) await truncate(join(entry.parentPath, entry.name));
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}
