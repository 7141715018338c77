/** A small disk of its own, in memory, for what happens when one is full or may not be written. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { localhost } from "./process.ts";

export interface Disk extends AsyncDisposable {
  readonly path: string;
  /** Mounts it anew with other options, such as `ro` or `size=8m`. */
  remount(options: string): Promise<void>;
}

/** Why nothing can be mounted here, or `undefined` if it can. */
export function mountAvailable(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    return "mounting needs root on Linux";
  }
  if (spawnSync("mount", ["-V"]).error) return "there is no `mount`";
}

/** @param size as mount(8) takes it: `8m` */
export async function mountMemory(size: string): Promise<Disk> {
  const path = await mkdtemp(join(tmpdir(), "nethood-disk-"));
  await localhost.run("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path]);
  return {
    path,
    remount: async (options) =>
      void await localhost.run("mount", ["-o", `remount,${options}`, path]),
    async [Symbol.asyncDispose]() {
      await localhost.run("umount", [path]);
      await rmdir(path);
    },
  };
}
