/** A small disk of a test's own, in memory, for what happens when one is full or may not be written. */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { createFolder, type Folder } from "./folder.ts";

export interface Disk extends Folder {
  /** Mounts it anew with other options, such as `ro` or `size=8m`. */
  remount(options: string): void;
}

/** Why no disk can be mounted here, or `undefined` if it can. */
export function mountAvailable(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    return "mounting a disk needs root on Linux";
  }
  if (spawnSync("mount", ["--version"]).error) return "there is no `mount`";
}

const mounted = new Set<string>();
process.on("exit", () => mounted.forEach(unmount)); // a test over its time never leaves its scope

/** @param size in mebibytes, as mount(8) takes it */
export async function createDisk(size: `${number}m`): Promise<Disk> {
  await using starting = new AsyncDisposableStack();
  const { path } = starting.use(await createFolder());
  mount("-t", "tmpfs", "-o", `size=${size}`, "nethood-test", path);
  mounted.add(path);
  starting.defer(() => unmount(path));
  const disk = starting.move();
  return {
    path,
    remount: (options) => mount("-o", `remount,${options}`, path),
    [Symbol.asyncDispose]: () => disk.disposeAsync(),
  };
}

function mount(...args: string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

/** At once, even where a failed test has left a file open. */
function unmount(path: string): void {
  if (mounted.delete(path)) spawnSync("umount", ["--lazy", path]);
}
