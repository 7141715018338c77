/** What a bench prints: one Markdown table, to be pasted into the README as it is. */
import { arch, cpus, release } from "node:os";
import process from "node:process";

export interface Row {
  /** What was measured. */
  what: string;
  /** The ratio that counts, or a plain figure where there is nothing to divide by. */
  result: string;
  /** The figures it was made of. */
  figures: string;
}

/** Prints the table, with the machine it was measured on: without it the figures beside a ratio mean nothing. */
export function print(rows: Row[]): void {
  console.log(`\n${machine()}\n\n| what | result | measured |\n| --- | --- | --- |`);
  for (const { what, result, figures } of rows) console.log(`| ${what} | ${result} | ${figures} |`);
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `a ÷ b`, with two digits that mean something. */
export function ratio(a: number, b: number): string {
  const value = a / b;
  return value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);
}

export function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** How long some work takes, in milliseconds. */
export async function time(work: () => unknown): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Progress, for whoever waits. */
export function say(line: string): void {
  console.error(line);
}

function machine(): string {
  const { deno } = process.versions;
  const runtime = deno ? `Deno ${deno}` : `Node ${process.versions.node}`;
  return `${runtime}, ${cpus().length} × ${
    cpus()[0]?.model.trim()
  }, ${process.platform} ${release()} ${arch()}`;
}
