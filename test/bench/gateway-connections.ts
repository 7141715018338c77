/** What 1,000 connections that all ask at once cost in memory, over a node that has done nothing yet. */
import { readFile } from "node:fs/promises";
import { rate } from "./gateway-load.ts";
import type { Served } from "./gateway-servers.ts";
import type { Row } from "./table.ts";

const CONNECTIONS = 1_000;
const SECONDS = 8;
const SAMPLE_MS = 100;
/** How long the node is left alone after its start, in milliseconds. */
const IDLE_MS = 5_000;

export async function measureConnections({ url, pid }: Served): Promise<Row[]> {
  await sleep(IDLE_MS);
  const idle = await resident(pid);
  let most = idle;
  let over = false;
  const asking = rate(`${url}/100k.bin`, { connections: CONNECTIONS, seconds: SECONDS })
    .finally(() => over = true);
  while (!over) {
    most = Math.max(most, await resident(pid));
    await sleep(SAMPLE_MS);
  }
  await asking;
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  return [{
    what: `${CONNECTIONS.toLocaleString("en")} connections at once, memory over idle`,
    result: `**${mb(most - idle)}**`,
    figures: `${mb(most)} − ${mb(idle)}, all of them reading 100 KiB again and again`,
  }];
}

async function resident(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"));
  return Number(kib?.[1]) * 1024;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
