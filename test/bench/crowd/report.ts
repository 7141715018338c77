/** A run, in the words and the tables of whoever reads the results. */
import { median } from "../table.ts";
import { describe, leaving } from "./conditions.ts";
import type { Run } from "./run.ts";

/** Three digits that mean something: 1.29, 12.9. */
export function factor(value: number): string {
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Seconds, or how many came to their end. */
export function last({ seconds, ratio, ...run }: Run): string {
  return ratio === undefined
    ? finished({ seconds, ratio, ...run })
    : `${seconds.at(-1)!.toFixed(1)} s`;
}

/** The last reader ÷ the least possible, or how many came to their end. */
export function ratioOf(run: Run): string {
  return run.ratio === undefined ? finished(run) : factor(run.ratio);
}

function finished({ seconds, conditions }: Run): string {
  return `${seconds.length} of ${conditions.readers - leaving(conditions)} finished`;
}

/** One line, as soon as it is over. */
export function line(run: Run): string {
  const { contestant, least, seederCopies, readerCopies, cpuShare, cpuSecondsPerGiB } = run;
  return [
    `${contestant}: ${ratioOf(run)} (${threeTimes(run)} ÷ ${least.toFixed(1)} s)`,
    `the seeder sent ${factor(seederCopies)} copies, a reader received ${factor(readerCopies)}`,
    `${percent(cpuShare)} of the processor, ${cpuSecondsPerGiB.toFixed(0)} s/GiB`,
    ...(run.seederGone === undefined ? [] : [`seeder gone at ${run.seederGone.toFixed(1)} s`]),
    ...run.failures,
  ].join("; ");
}

/** Every run, the whole of it: what the ratios of the first table were made of. */
export function printRuns(runs: Run[]): void {
  console.log(
    "\n| crowd | who | last ÷ least | first / median / last | seeder's copies | reader's copies | " +
      "processor | CPU s/GiB | failures |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
  );
  for (const run of runs) {
    const cells = [
      describe(run.conditions),
      run.contestant,
      ratioOf(run),
      threeTimes(run),
      factor(run.seederCopies),
      factor(run.readerCopies),
      percent(run.cpuShare),
      run.cpuSecondsPerGiB.toFixed(0),
      String(run.failures.length),
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

function threeTimes({ seconds }: Run): string {
  if (seconds.length === 0) return "–";
  const times = [seconds[0]!, median(seconds), seconds.at(-1)!];
  return `${times.map((n) => n.toFixed(1)).join(" / ")} s`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
