/**
 * Prints how long computed crowds take, up to ten thousand readers: the scheduler, uploads and window that a node runs, over
 * modelled lines. Everybody reads 16 MiB in blocks of 64 KiB from the first block to the last, all beginning at the same moment,
 * over 5 Mbit/s up and 25 down with 10 ms of delay each way, the seeder too. Nobody knows more than 50 others: the ten that a
 * tracker named, and those who were given its name. Each minute one of a hundred leaves, and somebody new comes.
 * Ten thousand take minutes: fifty million announcements, each of them to memory that was long out of the cache.
 * Run: deno task bench:simulation [READERS…]
 */
import process from "node:process";
import { simulate } from "./crowd/simulation.ts";
import { print, type Row, say, seconds, time } from "./table.ts";

const readers = process.argv.slice(2).map(Number);
const rows: Row[] = [];
for (const count of readers.length > 0 ? readers : [8, 100, 1_000, 10_000]) {
  rows.push(await row(count));
}
print(rows);

async function row(count: number): Promise<Row> {
  say(`${count} readers …`);
  let outcome: ReturnType<typeof simulate> | undefined;
  const took = await time(() => {
    outcome = simulate({
      readers: count,
      blocks: 256,
      blockBytes: 65_536,
      up: 5e6,
      down: 25e6,
      delayMs: 10,
      churn: 0.01,
      seed: 1,
    });
  });
  const { last, median, least, ratio, seederCopies, readerCopies } = outcome!;
  const figures = [
    `last ${last.toFixed(1)} s, half of them ${median.toFixed(1)} s, least possible ${
      least.toFixed(1)
    } s`,
    `the seeder sent ${seederCopies.toFixed(2)} copies, a reader received ${
      readerCopies.toFixed(2)
    }`,
    `computed in ${seconds(took)}`,
  ];
  return {
    what: `${count.toLocaleString("en")} readers: the last ÷ the least possible`,
    result: ratio.toFixed(2),
    figures: figures.join("; "),
  };
}
