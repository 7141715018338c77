/** What is held is seen only once what is held no more is gone: in a long run the collector takes its time. */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Node frees the bytes of what was collected in another thread, a moment later. */
const FREED_MS = 50;

export function collect(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

/** Collects, and waits until the system has the memory back. */
export async function release(): Promise<void> {
  collect();
  await sleep(FREED_MS);
  collect();
}
