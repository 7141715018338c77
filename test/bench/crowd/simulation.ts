/**
 * A crowd that is only computed: the nodes are in sim-node.ts, who comes and leaves in sim-thread.ts. The same seed gives the
 * same result, by however many threads it is computed.
 */
import { Worker } from "node:worker_threads";
import { createShared, type Shared } from "./sim-post.ts";
import { type Share, simulateShare } from "./sim-thread.ts";

export interface World {
  readers: number;
  blocks: number;
  /** Bytes of a block. */
  blockBytes: number;
  /** Bits per second. */
  up: number;
  down: number;
  /** One-way delay, in milliseconds. */
  delayMs: number;
  /** Part of the readers that leaves, and is replaced by new ones, each minute. Default: 0. */
  churn?: number;
  /** Blocks that a reader waits for, in order. Default: 8, as a file is read. */
  ahead?: number;
  /** Copies that the seeder sends before it goes for good. Default: it stays. */
  seederLeaves?: number;
  seed: number;
}

export interface Outcome {
  /** Seconds until the last of those who were there from the beginning, and stayed, had everything. */
  last: number;
  /** The same for the middle one. */
  median: number;
  /** The least possible: every line up is busy with payload from the first moment to the last. */
  least: number;
  /** The last ÷ the least possible. */
  ratio: number;
  /** What the seeder sent, in copies of the payload; framing is counted. */
  seederCopies: number;
  /** What a reader received, in the same copies, on average. */
  readerCopies: number;
  /** How busy the readers' lines up were, second by second, from 0 to 1. */
  busy: number[];
}

/** What a thread is given to do: a share of the world. */
export interface Task {
  world: World;
  shared: Shared;
  self: number;
}

export function simulate(world: World): Outcome {
  return together(world, [simulateShare(world, createShared(1, world.readers), 0)]);
}

/** The same by so many threads at once. */
export async function simulateInThreads(world: World, threads: number): Promise<Outcome> {
  const shared = createShared(threads, world.readers);
  const workers: Worker[] = [];
  try {
    return together(
      world,
      await Promise.all(Array.from({ length: threads }, (_, self) => {
        const workerData: Task = { world, shared, self };
        const worker = new Worker(new URL("./sim-worker.ts", import.meta.url), { workerData });
        workers.push(worker);
        return new Promise<Share>((resolve, reject) => {
          worker.once("message", resolve);
          worker.once("error", reject);
          worker.once("exit", (code) => reject(new Error(`a thread ended with ${code}`)));
        });
      })),
    );
  } finally {
    for (const worker of workers) await worker.terminate(); // one that failed is waited for by the others
  }
}

function together({ readers, blocks, blockBytes, up, down }: World, shares: Share[]): Outcome {
  const bytes = blocks * blockBytes;
  // In one order, however they were shared out: sums of fractions depend on it.
  const stayed = shares.flatMap((share) => share.stayed).sort((one, other) =>
    one.node - other.node
  );
  const received = stayed.reduce((sum, { received }) => sum + received, 0);
  const times = stayed.map(({ complete }) => complete / 1000).sort((one, other) => one - other);
  const least = bytes * 8 / Math.min(up, down);
  const busy = shares[0]!.busy.map((_, second) =>
    shares.reduce((sum, share) => sum + share.busy[second]!, 0) / readers
  );
  return {
    last: times.at(-1)!,
    median: times[times.length >> 1]!,
    least,
    ratio: times.at(-1)! / least,
    seederCopies: shares.reduce((sum, { seederSent }) => sum + seederSent, 0) / bytes,
    readerCopies: received / stayed.length / bytes,
    busy,
  };
}
