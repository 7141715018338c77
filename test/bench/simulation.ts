/**
 * Prints how long computed crowds take, up to ten thousand readers: the scheduler, uploads and window that a node runs, over
 * modelled lines. Everybody reads the same from the first block to the last, in blocks of 64 KiB, all beginning at the same
 * moment, over 5 Mbit/s up and 25 down with 10 ms of delay each way, the seeder too. Nobody knows more than 50 others: the ten
 * that a tracker named, and those who were given its name. Each minute one of a hundred leaves, and somebody new comes.
 * The first row is the crowd of `deno task bench:crowd`, where eight real nodes read over real sockets; all read as much as that
 * one, unless told otherwise. Of more the ratio is less: until the first blocks are with everybody takes as long.
 * Run: deno task bench:simulation [READERS…] [--mib N] [--threads N]
 */
import { availableParallelism } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Outcome, simulate, simulateInThreads } from "./crowd/simulation.ts";
import { print, type Row, say, seconds, time } from "./table.ts";

/** What `deno task bench:crowd` measured of the same eight readers, as README has it: the last ÷ the least possible. */
const LABORATORY = 1.15;

/** Megabytes that are read in the laboratory. */
const LABORATORY_MIB = 8;

/** Readers for whom more than one thread is worth it. */
const MANY = 500;

const BLOCK = 65_536;

const { values, positionals } = parseArgs({
  options: {
    mib: { type: "string", default: String(LABORATORY_MIB) },
    threads: { type: "string", default: String(availableParallelism()) },
  },
  allowPositionals: true,
});
const mib = Number(values.mib);
const rows: Row[] = [];
const crowds = positionals.length > 0 ? positionals.map(Number) : [8, 100, 1_000, 10_000];
for (const readers of crowds) rows.push(await row(readers, mib));
print(rows);

async function row(readers: number, mib: number): Promise<Row> {
  say(`${readers} readers …`);
  const blocks = mib * 1024 * 1024 / BLOCK;
  const threads = readers < MANY ? 1 : Number(values.threads);
  const lines = { up: 5e6, down: 25e6, delayMs: 10 };
  const world = { readers, blocks, blockBytes: BLOCK, ...lines, churn: 0.01, seed: 1 };
  let outcome: Outcome | undefined;
  const before = process.cpuUsage();
  const took = await time(async () => {
    outcome = threads > 1 ? await simulateInThreads(world, threads) : simulate(world);
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
    `computed in ${seconds(took)} by ${threads} of the processors, which worked ${
      seconds((user + system) / 1000)
    }`,
    ...readers === 8 && mib === LABORATORY_MIB
      ? [`eight real nodes took ${LABORATORY} times the least`]
      : [],
  ];
  return {
    what:
      `${readers.toLocaleString("en")} readers of ${mib} MiB, ${blocks} blocks: the last ÷ the ` +
      "least possible",
    result: ratio.toFixed(2),
    figures: figures.join("; "),
  };
}
