/**
 * One node of a crowd that is only computed: the shipped scheduler, uploads and window, between a line up and a line down that
 * carry one block after the other. What is short waits behind what the queue of a line holds, and no longer.
 */
import { Holdings } from "../../../src/swarm/holdings.ts";
import { type Decision, Scheduler } from "../../../src/swarm/scheduler.ts";
import { Uploads } from "../../../src/swarm/uploads.ts";
import { Window } from "../../../src/swarm/window.ts";
import type { Agenda } from "./heap.ts";

/** A router's queue, in milliseconds: what is sent meanwhile waits behind it. */
const QUEUE_MS = 100;

/** The first frame of a block, by which it is known that it comes, in bytes. */
const PART = 16 * 1024;

/** How often it is noticed that more of a block came, in milliseconds. */
const HEARD_MS = 500;

/** TCP, IP, noise, yamux and frames around a block, as a multiple of it. */
export const FRAMING = 1.06;

/** What all nodes share. */
export interface Nature {
  readonly agenda: Agenda<() => void>;
  /** Milliseconds since the beginning. */
  now: number;
  readonly random: () => number;
  readonly blocks: number;
  readonly blockBytes: number;
  /** One-way delay, in milliseconds. */
  readonly delayMs: number;
  /** Blocks that a reader waits for, in order. */
  readonly ahead: number;
}

interface Flight {
  to: SimNode;
  block: number;
  /** Nobody waits for it any more: it is not sent, unless it has begun to be. */
  stopped: boolean;
}

export class SimNode {
  readonly id: number;
  readonly isSeeder: boolean;
  readonly holdings: Holdings = new Holdings();
  readonly peers: Map<number, SimNode> = new Map();
  /** When it came, and when it had everything; milliseconds. */
  readonly came: number;
  complete: number | undefined;
  gone = false;
  /** Bytes that went over its lines, framing included. */
  sent = 0;
  received = 0;
  readonly #nature: Nature;
  readonly #scheduler: Scheduler;
  readonly #uploads: Uploads;
  readonly #window = new Window();
  readonly #has: Uint8Array;
  /** Handed to the line up and not carried yet; the first one is under way. */
  readonly #line: Flight[] = [];
  /** Bytes a millisecond. */
  readonly #up: number;
  readonly #down: number;
  /** When the line up will have carried the block that is under way, and the line down all that is on its way. */
  #upFree = 0;
  #downFree = 0;
  #count = 0;
  /** The first block that a reader in order does not have. */
  #reading = 0;

  /** @param lines bits per second */
  constructor(nature: Nature, id: number, isSeeder: boolean, lines: { up: number; down: number }) {
    this.#nature = nature;
    this.id = id;
    this.isSeeder = isSeeder;
    this.came = nature.now;
    this.#up = lines.up / 8000;
    this.#down = lines.down / 8000;
    this.#scheduler = new Scheduler(this.holdings, nature.random);
    this.#uploads = new Uploads(this.holdings, nature.random);
    this.#has = new Uint8Array(nature.blocks);
    if (isSeeder) {
      this.#has.fill(1);
      this.#count = nature.blocks;
      this.complete = nature.now;
    }
  }

  get isReading(): boolean {
    return this.#count < this.#nature.blocks;
  }

  /** How many milliseconds its line up will yet be busy. */
  get queued(): number {
    const { now, blockBytes } = this.#nature;
    const behind = Math.max(0, this.#line.length - 1);
    return Math.max(0, this.#upFree - now) + behind * blockBytes * FRAMING / this.#up;
  }

  /** Knows another one from now on. */
  meet(other: SimNode): void {
    this.peers.set(other.id, other);
    this.holdings.join(other.id, other.isSeeder);
    this.#scheduler.join(other.id);
    this.#uploads.join(other.id);
    if (other.isReading) this.#scheduler.fellow(other.id, true);
    for (let block = 0; block < this.#nature.blocks; block++) {
      if (other.#has[block] && this.holdings.add(other.id, block)) {
        this.#scheduler.offered(other.id, block);
      }
    }
  }

  read(): void {
    const { blocks, ahead } = this.#nature;
    for (let block = 0; block < blocks; block++) this.#scheduler.want(block, block < ahead);
    this.#decide();
  }

  leave(): void {
    this.gone = true;
    for (const other of this.peers.values()) other.#forget(this);
  }

  tick(): void {
    const { now } = this.#nature;
    if (this.isReading) this.#scheduler.tick(now);
    this.#uploads.tick(now);
    this.#decide();
    this.#pump();
  }

  #forget({ id }: SimNode): void {
    this.peers.delete(id);
    this.#scheduler.leave(id);
    this.#uploads.leave(id);
    this.holdings.leave(id);
    this.#decide();
    this.#pump();
  }

  /** A short message: it waits behind what the line's queue holds. */
  #tell(event: () => void): void {
    const { agenda, now, delayMs } = this.#nature;
    agenda.plan(now + Math.min(QUEUE_MS, this.queued) + delayMs, event);
  }

  #decide(): void {
    if (!this.isReading || !this.#scheduler.undecided) return;
    const told = new Map<number, Decision[]>();
    for (const decision of this.#scheduler.decide(this.#nature.now)) {
      const peer = "ask" in decision ? decision.ask : decision.cancel;
      const decisions = told.get(peer);
      if (decisions === undefined) told.set(peer, [decision]);
      else decisions.push(decision);
    }
    for (const [peer, decisions] of told) {
      const other = this.peers.get(peer);
      if (other !== undefined) this.#tell(() => other.#asked(this, decisions));
    }
  }

  #asked(by: SimNode, decisions: Decision[]): void {
    if (this.gone) return;
    for (const decision of decisions) {
      const { block } = decision;
      if ("ask" in decision) {
        this.#uploads.request(by.id, block, decision.level, this.#nature.now);
      } else if (this.#uploads.cancel(by.id, block)) {
        this.#stop(by, block);
      }
    }
    this.#pump();
  }

  #pump(): void {
    if (this.gone) return;
    const { now, blockBytes } = this.#nature;
    for (;;) {
      const upload = this.#uploads.next(now, this.#window.size);
      if (upload === undefined) return;
      const { peer, block } = upload;
      this.#uploads.sent(peer, block, blockBytes, now);
      this.#line.push({ to: this.peers.get(peer)!, block, stopped: false });
      if (this.#line.length === 1) this.#send();
    }
  }

  /** Carries the first of those on the line. */
  #send(): void {
    const { agenda, now, blockBytes, delayMs } = this.#nature;
    const flight = this.#line[0]!;
    const size = blockBytes * FRAMING;
    this.#upFree = now + size / this.#up;
    // Of the further parts only those count that tell a slow block from a stalled one.
    for (let at = Math.min(size, PART) / this.#up; at < size / this.#up; at += HEARD_MS) {
      agenda.plan(now + delayMs + at, () => {
        if (!flight.stopped) flight.to.#heard(this, flight.block);
      });
    }
    agenda.plan(this.#upFree, () => this.#sent());
  }

  #heard(from: SimNode, block: number): void {
    this.#scheduler.heard(from.id, block, this.#nature.now);
  }

  #sent(): void {
    const { agenda, now, blockBytes, delayMs } = this.#nature;
    const { to, block } = this.#line.shift()!;
    const size = blockBytes * FRAMING;
    this.sent += size;
    to.received += size;
    to.#downFree = Math.max(now + delayMs, to.#downFree + size / to.#down);
    agenda.plan(to.#downFree, () => to.#receive(this, block));
    while (this.#line[0]?.stopped) this.#line.shift();
    if (this.#line.length > 0) this.#send();
  }

  #receive(from: SimNode, block: number): void {
    if (this.gone) return;
    this.holdings.believe(from.id, true);
    if (this.#has[block]) {
      this.#tell(() => from.#acknowledged(this, block));
      return;
    }
    this.#heard(from, block);
    this.#has[block] = 1;
    this.#count++;
    this.#scheduler.settle(block);
    if (this.isReading) this.#readOn();
    else this.complete = this.#nature.now;
    this.#tell(() => {
      for (const other of this.peers.values()) other.#acknowledged(this, block);
    });
    this.#decide();
  }

  /** A reader in order waits for the next ones. */
  #readOn(): void {
    const { blocks, ahead } = this.#nature;
    while (this.#has[this.#reading]) this.#reading++;
    for (let next = this.#reading, waits = 0; next < blocks && waits < ahead; next++) {
      if (this.#has[next]) continue;
      this.#scheduler.want(next, true);
      waits++;
    }
  }

  #acknowledged(by: SimNode, block: number): void {
    if (this.gone) return;
    if (this.holdings.add(by.id, block)) this.#scheduler.offered(by.id, block);
    const { now } = this.#nature;
    const full = this.#uploads.unacknowledged >= this.#window.size;
    const sent = this.#uploads.acknowledged(by.id, block, now);
    if (sent !== undefined) {
      this.#window.acknowledged(sent.bytes, now - sent.at, now, full);
      this.#stop(by, block);
      this.#pump();
    }
    this.#decide();
  }

  /** It comes too late, and is no sign of life. */
  #stop(to: SimNode, block: number): void {
    for (const flight of this.#line) {
      if (flight.to === to && flight.block === block) flight.stopped = true;
    }
  }
}
