/** A folder of a test's own, and files in it. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface Folder extends AsyncDisposable {
  readonly path: string;
}

/** Files by path below the folder; a path that ends with a slash is an empty folder. */
export type Files = Record<string, string | Uint8Array>;

/** A folder that is gone when the test is. */
export async function createFolder(files: Files = {}, below: string = tmpdir()): Promise<Folder> {
  const path = await mkdtemp(join(below, "nethood-test-"));
  await addFiles(path, files);
  return {
    path,
    // Again and again: a program that was killed may still be writing into it.
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** A folder in memory where the system has one: holes in its files are read without being filled. */
export function createMemoryFolder(): Promise<Folder> {
  return createFolder({}, existsSync("/dev/shm") ? "/dev/shm" : tmpdir());
}

export async function addFiles(dir: string, files: Files): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = join(dir, name);
    if (name.endsWith("/")) await mkdir(file, { recursive: true });
    else {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
  }
}
