/**
 * A second process that uses the stores of a folder, to be stopped in any way. Run as a program it does one thing and tells
 * it as JSON lines: `seed DIR SITE [BYTES]` stores a site in the folder, and after so many bytes of it the process kills
 * itself, at a moment that no other process would hit; `hold DIR` opens the folder's records and keeps them.
 */
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

/** Starts this file as a program, on the runtime of the test. */
export function startActor(role: Role, host: Host = localhost): Child {
  const file = fileURLToPath(import.meta.url);
  const words = process.versions.deno ? ["run", "-A", "--quiet", file] : [file];
  return host.spawn(process.execPath, [...words, ...role]);
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
  try {
    const { cid } = await addFolder(blocks, site!, {
      onProgress({ bytes }) {
        if (bytes > Number(fatal)) process.kill(process.pid, "SIGKILL");
      },
    });
    tell("done", { cid: String(cid) });
  } catch (error) {
    tell("failed", { ...error as object, message: (error as Error).message });
  }
  records.close();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await act(process.argv.slice(2));
}
