/**
 * A second process that uses the stores of a folder, to be stopped in any way. Run as a program it does one thing and tells
 * it as JSON lines: `seed DIR SITE [BYTES]` stores a site in the folder, and after so many bytes of it the process ends in
 * the middle of writing a block; `hold DIR` opens the folder's records and keeps them.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { addFolder } from "../../src/content/write.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { Records } from "../../src/store/records.ts";
import { type Child, type Host, localhost } from "./process.ts";

export type Role =
  | ["seed", dir: string, site: string]
  | ["seed", dir: string, site: string, bytes: string]
  | ["hold", dir: string];

/** Half of the largest block, in bytes. */
const CUT = 512 * 1024;

/** Starts this file as a program, on the runtime of the test. */
export function startActor(role: Role, host: Host = localhost): Child {
  const file = fileURLToPath(import.meta.url);
  const words = process.versions.deno ? ["run", "-A", "--quiet", file] : [file];
  return host.spawn(process.execPath, [...words, ...role]);
}

/** Why no actor can be ended in the middle of a write here, or `undefined` if it can. */
export function cutAvailable(): string | undefined {
  if (spawnSync("prlimit", ["--version"]).error) return "there is no `prlimit`";
}

async function act([verb, dir, site, fatal = "Infinity"]: string[]): Promise<void> {
  const tell = (event: string, data: object = {}) =>
    console.log(JSON.stringify({ event, ...data }));
  const records = new Records(dir!);
  if (verb === "hold") {
    tell("held");
    setInterval(() => {}, 60_000);
    return;
  }
  const blocks = new DiskBlocks(join(dir!, "blocks"));
  await blocks.open();
  let cut = false;
  try {
    const { cid } = await addFolder(blocks, site!, {
      onProgress({ bytes }) {
        if (!cut && bytes > Number(fatal)) cut = cutWrites();
      },
    });
    tell("done", { cid: String(cid) });
  } catch (error) {
    if (cut) process.kill(process.pid, "SIGKILL");
    tell("failed", { ...error as object, message: (error as Error).message });
  }
  records.close();
}

/**
 * From now on no file grows beyond half a block: whoever writes one has written a part of it when the signal SIGXFSZ ends the
 * process, or, on Node, which ignores that signal, when the write fails.
 */
function cutWrites(): true {
  const { status, stderr } = spawnSync("prlimit", [
    "--core=0",
    `--fsize=${CUT}`,
    "--pid",
    String(process.pid),
  ]);
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
  return true;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await act(process.argv.slice(2));
}
