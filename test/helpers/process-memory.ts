/** The memory of a process, as Linux tells it. */
import { readFile } from "node:fs/promises";

/** Bytes of memory that a process has now, or had at most. */
export async function processMemory(pid: number, what: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kib = new RegExp(`^${what}:\\s+(\\d+) kB`, "m").exec(status);
  return Number(kib?.[1]) * 1024;
}
