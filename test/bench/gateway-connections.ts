/** What 1,000 connections that all ask at once cost in memory, over a node that has done nothing yet. */
import { processMemory } from "../helpers/process-memory.ts";
import { rate } from "./gateway-load.ts";
import type { Served } from "./gateway-servers.ts";
import type { Row } from "./table.ts";

const SECONDS = 5;
const SAMPLE_MS = 100;
/** How long the node is left alone after its start, in milliseconds. */
const IDLE_MS = 5_000;

export async function measureConnections({ url, pid }: Served): Promise<Row[]> {
  await sleep(IDLE_MS);
  const idle = await processMemory(pid, "VmRSS");
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  const rows: Row[] = [];
  // The small answers first: what they took is not given back before the large ones come.
  for (const [size, path] of [["1 KiB", "1k.bin"], ["100 KiB", "100k.bin"]]) {
    const most = await peak(pid, rate(`${url}/${path}`, { connections: 1_000, seconds: SECONDS }));
    rows.push({
      what: `1,000 connections at once, all reading ${size} again and again: memory over idle`,
      result: `**${mb(most - idle)}**`,
      figures: `${mb(most)} − ${mb(idle)}`,
    });
  }
  return rows;
}

/** The most memory that is held until some work is over. */
async function peak(pid: number, work: Promise<unknown>): Promise<number> {
  let most = 0;
  let over = false;
  const done = work.finally(() => over = true);
  while (!over) {
    most = Math.max(most, await processMemory(pid, "VmRSS"));
    await sleep(SAMPLE_MS);
  }
  await done;
  return most;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
