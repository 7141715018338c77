/** From the command to the first served byte, and what an idle node holds in memory; a bare HTTP server beside it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createFolder } from "../helpers/folder.ts";
import { processMemory } from "../helpers/process-memory.ts";
import { localhost } from "../helpers/process.ts";
import { median, ratio, type Row, say, seconds, time } from "./table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RUNS = 5;
/** How long a node is left alone before its memory is read, in milliseconds. */
const IDLE_MS = 5_000;
/** "Hello, reader!\n" as an identity CID: the first byte that needs no disk and no neighbour. */
const PAGE = "/ipfs/bafkqad2imvwgy3zmebzgkylemvzcccq";

const BARE = `
  import { createServer } from "node:http";
  const server = createServer((_, response) => response.end("Hello, reader!"));
  server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({
    event: "ready", gateway: "http://127.0.0.1:" + server.address().port })));
`;

export async function measureStart(): Promise<Row[]> {
  await using folder = await createFolder();
  const dir = folder.path;
  const bare = join(dir, "bare.mjs");
  await writeFile(bare, BARE);
  const deno = process.versions.deno !== undefined;
  const flags = ["--dir", join(dir, "node"), "--port", "0", "--json"];
  const programs = {
    node: [...(deno ? ["run", "-P", "node.ts"] : ["node.ts"]), ...flags],
    bare: [...(deno ? ["run", "-A"] : []), bare],
  };
  const first = { node: [] as number[], bare: [] as number[] };
  const memory = { node: 0, bare: 0 };
  await served(programs.node); // fills the cache of compiled code
  for (let run = 0; run < RUNS; run++) {
    for (const name of ["node", "bare"] as const) {
      const { ms, rss } = await served(programs[name], run === RUNS - 1 ? IDLE_MS : 0);
      first[name].push(ms);
      memory[name] = rss;
    }
    say(`start ${run + 1} of ${RUNS}: ${seconds(first.node.at(-1)!)}`);
  }
  const mib = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;
  return [{
    what: "command to first served byte",
    result: `**${seconds(median(first.node))}**`,
    figures: `${ratio(median(first.node), median(first.bare))} × a bare HTTP server, ${
      seconds(median(first.bare))
    }`,
  }, {
    what: "resident memory when idle",
    result: `**${mib(memory.node)}**`,
    figures: `${ratio(memory.node, memory.bare)} × a bare HTTP server, ${mib(memory.bare)}`,
  }];
}

/** Starts a program, reads one page of it, and ends it. */
async function served(words: string[], idle = 0): Promise<{ ms: number; rss: number }> {
  const began = performance.now();
  await using child = localhost.spawn(process.execPath, words, { cwd: ROOT });
  const { gateway } = await child.events.until("ready");
  await time(async () => await (await fetch(`${gateway}${PAGE}`)).text());
  const ms = performance.now() - began;
  if (idle > 0) await new Promise((resolve) => setTimeout(resolve, idle));
  return { ms, rss: await processMemory(child.pid, "VmRSS") };
}
