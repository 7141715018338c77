/**
 * A crowd that is only computed: the shipped scheduler, uploads and window of each node, over lines that are modelled. A line
 * up and a line down carry one block after the other; what is short waits behind what the queue of a line holds, and no longer.
 * The same seed gives the same result.
 */
import { Holdings } from "../../../src/swarm/holdings.ts";
import { Scheduler } from "../../../src/swarm/scheduler.ts";
import { Uploads } from "../../../src/swarm/uploads.ts";
import { Window } from "../../../src/swarm/window.ts";
import { Agenda } from "./heap.ts";

/** A router's queue, in milliseconds: what is sent meanwhile waits behind it. */
const QUEUE_MS = 100;
/** The first frame of a block, by which it is known that it comes, in bytes. */
const PART = 16 * 1024;
/** How often a node looks for who keeps it waiting, as swarm.ts does, in milliseconds. */
const TICK_MS = 250;
/** TCP, IP, noise, yamux and frames around a block, as a multiple of it. */
const FRAMING = 1.06;

export interface World {
  readers: number;
  blocks: number;
  /** Bytes of a block. */
  blockBytes: number;
  /** Bits per second; the seeder's up is `seedUp`, or the same. */
  up: number;
  down: number;
  seedUp?: number;
  /** One-way delay, in milliseconds. */
  delayMs: number;
  /** Neighbours of each reader, besides those who chose it. Default: everybody knows everybody. */
  degree?: number;
  /** Part of the readers that leaves, and is replaced by new ones, each minute. Default: 0. */
  churn?: number;
  /** Blocks that a reader waits for, in order. Default: 8, as a file is read. */
  ahead?: number;
  seed: number;
}

export interface Outcome {
  /** Seconds until the last of the readers had everything. */
  last: number;
  least: number;
  /** The last ÷ the least possible. */
  ratio: number;
  /** What the seeder sent, in copies. */
  seederCopies: number;
  /** What a reader received, in copies, on average. */
  readerCopies: number;
}

interface Flight {
  from: SimNode;
  to: SimNode;
  block: number;
  cancelled: boolean;
}

type Event = () => void;

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

class SimNode {
  readonly holdings = new Holdings();
  readonly scheduler: Scheduler;
  readonly uploads: Uploads;
  readonly window = new Window();
  readonly has: Uint8Array;
  readonly peers = new Map<number, SimNode>();
  readonly flights = new Map<string, Flight>();
  count = 0;
  sent = 0;
  received = 0;
  upFree = 0;
  downFree = 0;
  gone = false;
  /** The first block that a reader in order does not have. */
  reading = 0;
  deciding = false;

  readonly id: number;
  readonly world: World;
  readonly isSeeder: boolean;

  constructor(id: number, world: World, isSeeder: boolean, random: () => number) {
    this.id = id;
    this.world = world;
    this.isSeeder = isSeeder;
    this.scheduler = new Scheduler(this.holdings, random);
    this.uploads = new Uploads(this.holdings, random);
    this.has = new Uint8Array(world.blocks);
    if (isSeeder) {
      this.has.fill(1);
      this.count = world.blocks;
    }
  }

  get upRate(): number {
    return (this.isSeeder ? this.world.seedUp ?? this.world.up : this.world.up) / 8000; // bytes a millisecond
  }
}

export function simulate(world: World): Outcome {
  const random = createRandom(world.seed);
  const agenda = new Agenda<Event>();
  const { blocks, blockBytes, delayMs, ahead = 8 } = world;
  const size = blockBytes * FRAMING;
  const downRate = world.down / 8000;
  let now = 0;
  let unfinished = world.readers;
  let last = 0;
  let ids = 0;

  const seeder = new SimNode(ids++, world, true, random);
  const all: SimNode[] = [seeder];
  for (let i = 0; i < world.readers; i++) arrive();
  agenda.plan(TICK_MS, tick);

  for (let next = agenda.next(); next !== undefined && unfinished > 0; next = agenda.next()) {
    now = next.time;
    next.event();
    if (now > 3_600_000) throw new Error("an hour has passed");
  }

  const bits = blocks * blockBytes * 8;
  const seedUp = world.seedUp ?? world.up;
  const least = Math.max(
    bits / seedUp,
    bits / world.down,
    world.readers * bits / (seedUp + world.readers * world.up),
  );
  const readers = all.filter((node) => !node.isSeeder && !node.gone);
  return {
    last: last / 1000,
    least,
    ratio: last / 1000 / least,
    seederCopies: seeder.sent / (blocks * blockBytes),
    readerCopies: readers.reduce((sum, { received }) => sum + received, 0) / readers.length /
      (blocks * blockBytes),
  };

  function arrive(): SimNode {
    const node = new SimNode(ids++, world, false, random);
    const others = all.filter(({ gone }) => !gone);
    const degree = world.degree ?? others.length;
    meet(node, seeder);
    if (degree >= others.length) { for (const other of others) meet(node, other); }
    else for (let i = 0; i < degree; i++) meet(node, others[Math.floor(random() * others.length)]!);
    all.push(node);
    for (let block = 0; block < blocks; block++) node.scheduler.want(block, block < ahead);
    later(node);
    return node;
  }

  function meet(one: SimNode, other: SimNode): void {
    if (one === other || one.peers.has(other.id)) return;
    for (const [me, you] of [[one, other], [other, one]] as const) {
      me.peers.set(you.id, you);
      me.holdings.join(you.id, you.isSeeder);
      me.scheduler.join(you.id);
      me.uploads.join(you.id);
      if (!you.isSeeder && you.count < blocks) me.scheduler.fellow(you.id, true);
      for (let block = 0; block < blocks; block++) {
        if (you.has[block] && me.holdings.add(you.id, block)) me.scheduler.offered(you.id, block);
      }
    }
  }

  function leave(node: SimNode): void {
    node.gone = true;
    for (const other of node.peers.values()) {
      other.peers.delete(node.id);
      other.scheduler.leave(node.id);
      other.uploads.leave(node.id);
      other.holdings.leave(node.id);
      later(other);
      pump(other);
    }
  }

  function tick(): void {
    for (const node of all) {
      if (node.gone) continue;
      node.scheduler.tick(now);
      node.uploads.tick(now);
      if (node.count < blocks) decide(node);
      pump(node);
    }
    const leaving = (world.churn ?? 0) * world.readers * TICK_MS / 60_000;
    for (let i = Math.floor(leaving + random()); i > 0; i--) {
      const node = all[1 + Math.floor(random() * (all.length - 1))]!;
      if (node.gone) continue;
      if (node.count < blocks) unfinished--;
      leave(node);
      unfinished++;
      arrive();
    }
    agenda.plan(now + TICK_MS, tick);
  }

  /** A short message: it waits behind what the line's queue holds. */
  function message(from: SimNode, event: Event): void {
    const queued = Math.min(QUEUE_MS, Math.max(0, from.upFree - now));
    agenda.plan(now + queued + delayMs, event);
  }

  function later(node: SimNode): void {
    if (node.deciding) return;
    node.deciding = true;
    agenda.plan(now, () => {
      node.deciding = false;
      if (!node.gone) decide(node);
    });
  }

  function decide(node: SimNode): void {
    const told = new Map<number, Event[]>();
    for (const decision of node.scheduler.decide(now)) {
      const peer = "ask" in decision ? decision.ask : decision.cancel;
      const other = node.peers.get(peer);
      if (other === undefined) continue;
      const { block } = decision;
      const act = "ask" in decision
        ? () => other.uploads.request(node.id, block, decision.level, now)
        : () => {
          if (other.uploads.cancel(node.id, block)) {
            const flight = other.flights.get(`${node.id} ${block}`);
            if (flight !== undefined) flight.cancelled = true;
          }
        };
      const acts = told.get(peer);
      if (acts === undefined) told.set(peer, [act]);
      else acts.push(act);
    }
    for (const [peer, acts] of told) {
      const other = node.peers.get(peer)!;
      message(node, () => {
        for (const act of acts) act();
        pump(other);
      });
    }
  }

  function pump(node: SimNode): void {
    if (node.gone) return;
    for (;;) {
      const upload = node.uploads.next(now, node.window.size);
      if (upload === undefined) return;
      const to = node.peers.get(upload.peer)!;
      node.uploads.sent(upload.peer, upload.block, blockBytes, now);
      const flight: Flight = { from: node, to, block: upload.block, cancelled: false };
      node.flights.set(`${to.id} ${upload.block}`, flight);
      const begins = Math.max(now, node.upFree);
      node.upFree = begins + size / node.upRate;
      agenda.plan(begins + delayMs + Math.min(size, PART) / node.upRate, () => {
        if (!flight.cancelled) to.scheduler.heard(node.id, flight.block, now);
      });
      agenda.plan(node.upFree, () => land(flight));
    }
  }

  function land(flight: Flight): void {
    const { from, to, block } = flight;
    from.flights.delete(`${to.id} ${block}`);
    from.sent += size;
    to.received += size;
    const arrives = Math.max(now + delayMs, to.downFree + size / downRate);
    to.downFree = arrives;
    agenda.plan(arrives, () => receive(to, from, block));
  }

  function receive(node: SimNode, from: SimNode, block: number): void {
    if (node.gone) return;
    if (node.has[block]) return message(node, () => acknowledge(from, node, block));
    node.has[block] = 1;
    node.count++;
    node.scheduler.settle(block);
    // A reader in order waits for the next ones.
    while (node.reading < blocks && node.has[node.reading]) node.reading++;
    for (let next = node.reading, waits = 0; next < blocks && waits < ahead; next++) {
      if (node.has[next]) continue;
      node.scheduler.want(next, true);
      waits++;
    }
    if (node.count === blocks) {
      unfinished--;
      last = now;
    }
    message(node, () => {
      for (const other of node.peers.values()) {
        if (!other.gone) acknowledge(other, node, block);
      }
    });
    later(node);
  }

  function acknowledge(node: SimNode, by: SimNode, block: number): void {
    if (node.gone) return;
    if (node.holdings.add(by.id, block)) node.scheduler.offered(by.id, block);
    const full = node.uploads.unacknowledged >= node.window.size;
    const sent = node.uploads.acknowledged(by.id, block, now);
    if (sent !== undefined) {
      node.window.acknowledged(sent.bytes, now - sent.at, now, full);
      const flight = node.flights.get(`${by.id} ${block}`);
      if (flight !== undefined) flight.cancelled = true;
      pump(node);
    }
    if (node.count < blocks) later(node);
  }
}
