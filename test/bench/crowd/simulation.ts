/**
 * A crowd that is only computed: who comes, whom it knows, who leaves, and how long everybody takes. The nodes themselves are
 * in sim-node.ts. The same seed gives the same result.
 */
import { Agenda } from "./sim-agenda.ts";
import { Interests } from "./sim-interests.ts";
import { Mail } from "./sim-mail.ts";
import { type Nature, SimNode } from "./sim-node.ts";

/** How often readers leave and come, in milliseconds. */
const TICK_MS = 250;

/** Most connections of one node, as src/routing/neighbours.ts keeps them. */
const MAX_NEIGHBOURS = 50;

/** Whom a tracker names to a reader that comes: any of those who are there, in no order. */
const CHOSEN = 10;

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

/** mulberry32: small, fast, and the same everywhere. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

export function simulate(world: World): Outcome {
  const { readers, blocks, blockBytes, up, down, delayMs, churn = 0, ahead = 8 } = world;
  const random = createRandom(world.seed);
  const agenda = new Agenda(Math.min(delayMs, TICK_MS));
  const mail = new Mail(readers + 1);
  const interests = new Interests(readers + 1, blocks);
  const nature: Nature = { agenda, mail, interests, random, blocks, blockBytes, delayMs, ahead };
  const bytes = blocks * blockBytes;
  let now = 0;
  const seeder = new SimNode(nature, { now, isSeeder: true, lines: { up, down } });
  let here: SimNode[] = [seeder];
  arrive(readers);
  /** Whom we wait for. */
  let first = here.slice(1);
  const busy: number[] = [];

  let unfinished = first;
  for (let ticks = 1; unfinished.length > 0; now += agenda.slice) {
    for (; now >= ticks * TICK_MS; ticks++) tick(ticks);
    agenda.run();
    if (now > 3_600_000) throw new Error("an hour has passed");
  }

  first = first.filter(({ gone }) => !gone);
  const times = first.map(({ complete }) => complete! / 1000).sort((one, other) => one - other);
  const least = bytes * 8 / Math.min(up, down);
  return {
    last: times.at(-1)!,
    median: times[times.length >> 1]!,
    least,
    ratio: times.at(-1)! / least,
    seederCopies: seeder.sent / bytes,
    readerCopies: first.reduce((sum, { received }) => sum + received, 0) / first.length / bytes,
    busy,
  };

  /** So many come at once. Each asks the seeder, if that takes it, and those whom a tracker names, of all who are there. */
  function arrive(count: number): void {
    const lines = { up, down };
    const coming = Array.from(
      { length: count },
      () => new SimNode(nature, { now, isSeeder: false, lines }),
    );
    here.push(...coming);
    for (const node of coming) {
      if (!seeder.gone) meet(node, seeder);
      if (here.length <= CHOSEN + 1) { for (const other of here) meet(node, other); }
      for (let tries = 0, met = 0; met < CHOSEN && tries < 2 * CHOSEN; tries++) {
        if (meet(node, here[Math.floor(random() * here.length)]!)) met++;
      }
    }
    for (const node of coming) node.read(now);
  }

  function tick(ticks: number): void {
    if (ticks % 4 === 0) {
      busy.push(here.filter((node) => !node.isSeeder && node.isBusy(now)).length / readers);
    }
    if (world.seederLeaves !== undefined && seeder.sent > world.seederLeaves * bytes) {
      if (!seeder.gone) seeder.leave(now);
    }
    for (let i = Math.floor(churn * readers * TICK_MS / 60_000 + random()); i > 0; i--) {
      const node = here[Math.floor(random() * here.length)]!;
      if (node.isSeeder || node.gone) continue;
      node.leave(now);
      arrive(1);
    }
    here = here.filter(({ gone }) => !gone);
    unfinished = unfinished.filter(({ gone, isReading }) => !gone && isReading);
  }
}

/** @returns whether they know each other from now on, and did not before */
function meet(one: SimNode, other: SimNode): boolean {
  if (one === other || other.gone || one.knows(other)) return false;
  if (one.degree >= MAX_NEIGHBOURS || other.degree >= MAX_NEIGHBOURS) return false;
  SimNode.introduce(one, other);
  return true;
}
