/**
 * What one thread computes of a crowd: a share of the nodes, and, as every other thread, who comes, whom it knows, and who
 * leaves.
 */
import { Acquaintances, SEEDER } from "./sim-acquaintances.ts";
import { type Nature, SimNode } from "./sim-node.ts";
import { Office } from "./sim-office.ts";
import { Post, type Shared } from "./sim-post.ts";
import { createRandom } from "./sim-random.ts";
import type { World } from "./simulation.ts";

/** How often readers leave and come, in milliseconds. */
const TICK_MS = 250;

/** What is told of how much the seeder sent, in bytes. */
const UNIT = 1024;

export interface Share {
  /** Those who were there from the beginning and stayed: when they had everything, in milliseconds, and the bytes they received. */
  stayed: { node: number; complete: number; received: number }[];
  /** Bytes, where the seeder is one of ours. */
  seederSent: number;
  /** How many readers had something on their lines, second by second. */
  busy: number[];
}

export function simulateShare(world: World, shared: Shared, self: number): Share {
  const { readers, blocks, blockBytes, delayMs, churn = 0, ahead = 8, seed, up, down } = world;
  const post = new Post(shared, self);
  const share = Math.ceil((readers + 1) / shared.threads);
  const office = new Office(post, Math.min(delayMs, TICK_MS), share, blocks);
  const nature: Nature = { office, seed, up, down, blocks, blockBytes, delayMs, ahead };
  /** Ours, by their numbers. */
  const nodes = new Map<number, SimNode>();
  const random = createRandom(seed);
  const crowd = new Acquaintances(random, (one, other, calls) => {
    nodes.get(one)?.meet(other, calls.one, now);
    nodes.get(other)?.meet(one, calls.other, now);
  });
  let now = 0;
  create(SEEDER);
  const seeder = nodes.get(SEEDER);
  arrive(readers);
  const first = [...nodes].filter(([node]) => node !== SEEDER);
  const busy: number[] = [];

  let unfinished = first.map(([, node]) => node);
  for (let ticks = 1, left = readers, sent = 0; left > 0; now += office.agenda.slice) {
    for (; now >= ticks * TICK_MS; ticks++) tick(ticks, sent * UNIT);
    [left, sent] = office.run([unfinished.length, Math.floor((seeder?.sent ?? 0) / UNIT)]);
    if (now > 3_600_000) throw new Error("an hour has passed");
  }
  return {
    stayed: first.filter(([, { gone }]) => !gone).map(([node, { complete, received }]) => (
      { node, complete: complete!, received }
    )),
    seederSent: seeder?.sent ?? 0,
    busy,
  };

  function create(node: number): void {
    if (post.isOurs(node)) nodes.set(node, new SimNode(nature, node, now));
  }

  /** So many come at once. */
  function arrive(count: number): void {
    const coming = crowd.come(count, create);
    for (const node of coming) nodes.get(node)?.read(now);
  }

  function leave(node: number): void {
    crowd.leave(node);
    nodes.get(node)?.leave(now);
  }

  function tick(ticks: number, seederSent: number): void {
    if (ticks % 4 === 0) {
      busy.push(crowd.here.filter((id) => id !== SEEDER && nodes.get(id)?.isBusy(now)).length);
    }
    const enough = world.seederLeaves ?? Infinity;
    if (!crowd.isGone(SEEDER) && seederSent > enough * blocks * blockBytes) leave(SEEDER);
    for (let i = Math.floor(churn * readers * TICK_MS / 60_000 + random()); i > 0; i--) {
      const node = crowd.any();
      if (node === SEEDER || crowd.isGone(node)) continue;
      leave(node);
      arrive(1);
    }
    crowd.tidy();
    unfinished = unfinished.filter(({ gone, isReading }) => !gone && isReading);
  }
}
