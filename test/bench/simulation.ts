/**
 * Prints how long computed crowds take, up to ten thousand readers: the scheduler, uploads and window that a node runs, over
 * modelled lines. Everybody reads the same from the first block to the last, in blocks of 64 KiB, all beginning at the same
 * moment, over 5 Mbit/s up and 25 down with 10 ms of delay each way, the seeder too. Nobody knows more than 50 others: the ten
 * that a tracker named, and those who were given its name. Each minute one of a hundred leaves, and somebody new comes.
 * The first row is the crowd of `deno task bench:crowd`, where eight real nodes read over real sockets.
 * Run: deno task bench:simulation [READERS…] [--mib N]
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { simulate } from "./crowd/simulation.ts";
import { print, type Row, say, seconds, time } from "./table.ts";

/** What `deno task bench:crowd` measured of the same eight readers, as README has it: the last ÷ the least possible. */
const LABORATORY = 1.18;

const BLOCK = 65_536;

const { values, positionals } = parseArgs({
  options: { mib: { type: "string", default: "16" } },
  allowPositionals: true,
});
const mib = Number(values.mib);
const rows: Row[] = [];
if (positionals.length > 0) {
  for (const readers of positionals) rows.push(await row(Number(readers), mib));
} else {
  const laboratory = await row(8, 8);
  const figures = `${laboratory.figures}; eight real nodes took ${LABORATORY} times the least`;
  rows.push({ ...laboratory, figures });
  for (const readers of [8, 100, 1_000, 10_000]) rows.push(await row(readers, mib));
}
print(rows);

async function row(readers: number, mib: number): Promise<Row> {
  say(`${readers} readers …`);
  const blocks = mib * 1024 * 1024 / BLOCK;
  let outcome: ReturnType<typeof simulate> | undefined;
  const before = process.cpuUsage();
  const took = await time(() => {
    outcome = simulate({
      readers,
      blocks,
      blockBytes: BLOCK,
      up: 5e6,
      down: 25e6,
      delayMs: 10,
      churn: 0.01,
      seed: 1,
    });
  });
  const { user, system } = process.cpuUsage(before);
  const { last, median, least, ratio, seederCopies, readerCopies } = outcome!;
  const figures = [
    `last ${last.toFixed(1)} s, half of them ${median.toFixed(1)} s, least possible ${
      least.toFixed(1)
    } s`,
    `the seeder sent ${seederCopies.toFixed(2)} copies, a reader received ${
      readerCopies.toFixed(2)
    }`,
    `computed in ${seconds(took)}, of which the processor worked ${
      seconds((user + system) / 1000)
    }`,
  ];
  return {
    what:
      `${readers.toLocaleString("en")} readers of ${mib} MiB, ${blocks} blocks: the last ÷ the ` +
      "least possible",
    result: ratio.toFixed(2),
    figures: figures.join("; "),
  };
}
