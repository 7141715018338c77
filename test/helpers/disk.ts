/** Places on this disk for a test: a folder with files in it, and disks that are small, or that cannot be written. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createHost, type Host } from "./process.ts";

export interface Place extends AsyncDisposable {
  readonly path: string;
}

/** Files by path below the folder; a path that ends with a slash is an empty folder. */
export type Files = Record<string, string | Uint8Array>;

/** A folder that is gone when the test is. */
export async function createFolder(files: Files = {}, below: string = tmpdir()): Promise<Place> {
  const path = await mkdtemp(join(below, "nethood-test-"));
  await addFiles(path, files);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A folder in memory where the system has one: holes in its files are read without being filled. */
export function createMemoryFolder(): Promise<Place> {
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

/** Why no disk can be mounted here, or `undefined` if it can. */
export function mountAvailable(): string | undefined {
  if (process.getuid?.() !== 0) return "only root may mount a disk";
  if (spawnSync("mount", ["--version"]).error) return "there is no mount";
}

const mounted = new Set<string>();
process.on("exit", () => mounted.forEach(unmount));

/** A disk of its own, in memory. */
export async function createDisk(size: `${number}m`): Promise<Place & { makeReadOnly(): void }> {
  const folder = await createFolder();
  mount(["-t", "tmpfs", "-o", `size=${size}`, "nethood-test", folder.path]);
  mounted.add(folder.path);
  return {
    path: folder.path,
    makeReadOnly: () => mount(["-o", "remount,ro", folder.path]),
    async [Symbol.asyncDispose]() {
      unmount(folder.path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Where programs obey the permissions of files, which root alone need not. */
export function powerlessHost(): Host {
  const lost = "-dac_override,-dac_read_search";
  const prefix = process.getuid?.() === 0 ? ["setpriv", `--bounding-set=${lost}`] : [];
  return createHost("powerless", "127.0.0.1", prefix);
}

function mount(args: string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

/** At once, even where a failed test has left a file open. */
function unmount(path: string): void {
  if (mounted.delete(path)) spawnSync("umount", ["--lazy", path]);
}
