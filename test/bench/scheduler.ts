/**
 * What a decision costs a node that reads 10,000 blocks among 200 peers: whom to ask, and whom to send what. The events that a
 * decision answers are counted in. Run: deno task bench:scheduler
 */
import { Holdings } from "../../src/swarm/holdings.ts";
import { Scheduler } from "../../src/swarm/scheduler.ts";
import { Uploads } from "../../src/swarm/uploads.ts";
import { createRandom } from "../helpers/random.ts";
import { print, type Row, say } from "./table.ts";

const BLOCKS = 10_000;
const PEERS = 200;
const BYTES = 65_536;
/** Milliseconds between two events; only what waits for long depends on it. */
const STEP_MS = 5;
/** Steps that are not measured: the engine compiles what is hot. */
const WARM = 5_000;
const MEASURED = 20_000;

print([
  read("whom to ask, in a crowd", { seeders: 0 }),
  read("whom to ask, in a crowd with a seeder", { seeders: 1 }),
  serve("what to send next, of what 200 readers ask of one of them", 8),
  serve("what to send next, of what 200 readers ask of the seeder", BLOCKS),
]);

/** Of eleven events one is a block that arrived, and ten are peers that got one. */
function read(what: string, { seeders }: { seeders: number }): Row {
  const random = createRandom(1);
  const holdings = new Holdings();
  const scheduler = new Scheduler(holdings, () => random.int(2 ** 32) / 2 ** 32);
  for (let peer = 0; peer < PEERS; peer++) {
    holdings.join(peer, peer < seeders);
    scheduler.join(peer);
    scheduler.fellow(peer, peer >= seeders);
    for (let block = 0; block < BLOCKS; block++) {
      if (peer < seeders || random.chance(0.3)) holdings.add(peer, block);
    }
  }
  for (let block = 0; block < BLOCKS; block++) scheduler.want(block, block < 8);
  const asked = new Map<number, number>();
  let now = 0;

  const decide = () => {
    let decisions = 0;
    if (scheduler.undecided) {
      for (const decision of scheduler.decide(now)) {
        if ("ask" in decision) asked.set(decision.block, decision.ask);
        decisions++;
      }
    }
    return decisions;
  };
  const step = () => {
    now += STEP_MS;
    if (now % 250 < STEP_MS) scheduler.tick(now);
    let decisions = 0;
    const [arrived] = asked;
    if (arrived !== undefined) {
      const [block, peer] = arrived;
      asked.delete(block);
      scheduler.heard(peer, block, now);
      scheduler.settle(block);
      decisions += decide();
      scheduler.want(block, false); // there are always as many to be read
      decisions += decide();
    }
    for (let i = 0; i < 10; i++) {
      const peer = random.int(PEERS);
      const block = random.int(BLOCKS);
      if (holdings.delete(peer, block)) scheduler.refused(peer, block);
      else if (holdings.add(peer, block)) scheduler.offered(peer, block);
      decisions += decide();
    }
    return decisions;
  };
  return measure(what, step, 12);
}

/** Each step sends a block, hears that one has come, and of ten that others have come. */
function serve(what: string, wants: number): Row {
  const random = createRandom(1);
  const holdings = new Holdings();
  const uploads = new Uploads(holdings, () => random.int(2 ** 32) / 2 ** 32);
  for (let peer = 0; peer < PEERS; peer++) {
    holdings.join(peer);
    uploads.join(peer);
    for (let i = 0; i < wants; i++) {
      const block = wants === BLOCKS ? i : random.int(BLOCKS);
      uploads.request(peer, block, i < 2 ? 1 : 0, 0);
    }
  }
  const underway: { peer: number; block: number }[] = [];
  let now = 0;
  const step = () => {
    now += STEP_MS;
    if (now % 250 < STEP_MS) uploads.tick(now);
    const upload = uploads.next(now, 16 * BYTES);
    if (upload !== undefined) {
      uploads.sent(upload.peer, upload.block, BYTES, now);
      underway.push(upload);
    }
    const come = underway.length > 8 ? underway.shift() : undefined;
    if (come !== undefined) {
      holdings.add(come.peer, come.block);
      uploads.acknowledged(come.peer, come.block, now);
      uploads.request(come.peer, random.int(BLOCKS), random.chance(0.2) ? 1 : 0, now);
    }
    for (let i = 0; i < 10; i++) {
      const peer = random.int(PEERS);
      const block = random.int(BLOCKS);
      if (holdings.add(peer, block)) uploads.acknowledged(peer, block, now);
    }
    return upload === undefined ? 0 : 1;
  };
  return measure(what, step, 1);
}

/** @param choices how often a step gives cause to choose */
function measure(what: string, step: () => number, choices: number): Row {
  say(`${what} …`);
  for (let i = 0; i < WARM; i++) step();
  let decisions = 0;
  const began = performance.now();
  for (let i = 0; i < MEASURED; i++) decisions += step();
  const micros = (performance.now() - began) * 1_000;
  return {
    what,
    result: `${(micros / MEASURED / choices).toFixed(1)} µs`,
    figures: `${MEASURED * choices} choices, ${decisions} decisions, ${
      (micros / decisions).toFixed(1)
    } µs for each`,
  };
}
