/** What a run takes of the machine: the processor's share, its seconds for the processes in the hosts, and their memory. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { processMemory } from "../../helpers/process-memory.ts";

/** Ticks of the processor's clock, as the kernel counts them, in a second. */
const TICKS = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout) || 100;

export interface Busy {
  /** Ticks of all cores together since the machine's start. */
  total: number;
  /** Those in which something was done. */
  busy: number;
}

export async function busy(): Promise<Busy> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n", 1);
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, n) => sum + n, 0);
  return { total, busy: total - ticks[3]! - ticks[4]! }; // idle, and waiting for a disk
}

/** Between two moments, from 0 to 1. */
export function share(from: Busy, to: Busy): number {
  return (to.busy - from.busy) / Math.max(1, to.total - from.total);
}

export interface CpuMeter {
  /** Looks at a namespace's processes: at the beginning, at the end, and before any of them is ended. */
  look(namespace: string): Promise<void>;
  /** Seconds that they took between the first look and the last. */
  seconds(): number;
}

export function createCpuMeter(): CpuMeter {
  const seen = new Set<string>();
  const first = new Map<string, number>(), last = new Map<string, number>();
  return {
    async look(namespace) {
      const began = !seen.has(namespace);
      seen.add(namespace);
      const { stdout } = spawnSync("ip", ["netns", "pids", namespace], { encoding: "utf8" });
      for (const pid of stdout.split("\n").filter(Boolean)) {
        const ticks = await ticksOf(pid);
        if (ticks === undefined) continue;
        if (!first.has(pid)) first.set(pid, began ? ticks : 0);
        last.set(pid, ticks);
      }
    },
    seconds: () =>
      [...last].reduce((sum, [pid, ticks]) => sum + ticks - first.get(pid)!, 0) / TICKS,
  };
}

/** The most memory that a process and its children had, in bytes. */
export async function peakMemory(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ");
  const all = children.filter(Boolean).map((child) => peakMemory(Number(child)));
  all.push(processMemory(pid, "VmHWM"));
  return (await Promise.all(all)).reduce((sum, bytes) => sum + bytes, 0);
}

/** Of a process, and of its children that have ended: what curl took is its parent's to tell. */
async function ticksOf(pid: string): Promise<number | undefined> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return; // it ended a moment ago
  }
  // The name, which may contain anything, ends at the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, n) => sum + Number(n), 0);
}
