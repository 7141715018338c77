/**
 * One node of a crowd that is only computed: the shipped scheduler, uploads and window, between a line up and a line down that
 * carry one block after the other. What is short waits behind what the queue of a line holds, and no longer.
 */
import { Bits } from "../../../src/swarm/bits.ts";
import type { Level } from "../../../src/swarm/frame.ts";
import { Holdings } from "../../../src/swarm/holdings.ts";
import { Scheduler } from "../../../src/swarm/scheduler.ts";
import { Uploads } from "../../../src/swarm/uploads.ts";
import { Window } from "../../../src/swarm/window.ts";
import { SEEDER } from "./sim-acquaintances.ts";
import type { Actor } from "./sim-agenda.ts";
import { LineUp } from "./sim-line.ts";
import { ARRIVED, type Office, WOKEN } from "./sim-office.ts";
import { ASKED, CANCELLED, CARRIED, HAS, HEARD, LEFT, OPENED, Peers } from "./sim-peers.ts";
import { createRandom } from "./sim-random.ts";

/** How often a node looks for who keeps it waiting, as swarm.ts does, in milliseconds. */
const TICK_MS = 250;

/** How long news of blocks waits for more of it, as in session.ts, in milliseconds. */
const SOON_MS = 30;

/** What happens to a node, beside what sim-office.ts tells. */
const RECEIVED = 2, SENT = 3, TICK = 4;

/** What all nodes of a thread share. */
export interface Nature {
  readonly office: Office;
  readonly seed: number;
  /** Bits per second. */
  readonly up: number;
  readonly down: number;
  readonly blocks: number;
  readonly blockBytes: number;
  /** One-way delay, in milliseconds. */
  readonly delayMs: number;
  /** Blocks that a reader waits for, in order. */
  readonly ahead: number;
}

export class SimNode implements Actor {
  readonly isSeeder: boolean;
  /** When it had everything, in milliseconds. */
  complete: number | undefined;
  gone = false;
  /** Bytes that came over its line, framing included. */
  received = 0;
  /** Its number in the thread. */
  readonly #local: number;
  readonly #nature: Nature;
  readonly #holdings = new Holdings();
  readonly #scheduler: Scheduler;
  readonly #uploads: Uploads;
  readonly #window = new Window();
  readonly #line: LineUp;
  readonly #peers: Peers;
  readonly #here: Bits;
  /** Bytes a millisecond. */
  readonly #down: number;
  /** When the line down will have carried all that is on its way. */
  #downFree = 0;
  /** The first block that a reader in order does not have. */
  #reading = 0;
  #now: number;
  /** When the last message reaches the others, and the last news is told: they keep their order. */
  #reaches = 0;
  #told = -Infinity;

  /** @param id its number in the crowd */
  constructor(nature: Nature, id: number, now: number) {
    this.#nature = nature;
    this.#now = now;
    this.isSeeder = id === SEEDER;
    this.#line = new LineUp(nature.up);
    this.#peers = new Peers(nature.office.post);
    this.#down = nature.down / 8000;
    // Its own: what it does is then the same in whichever order nodes are gone through.
    const random = createRandom(Math.imul(nature.seed, 0x9e3779b1) + id);
    this.#scheduler = new Scheduler(this.#holdings, random);
    this.#uploads = new Uploads(this.#holdings, random);
    this.#here = new Bits(nature.blocks);
    if (this.isSeeder) {
      for (let block = 0; block < nature.blocks; block++) this.#here.add(block);
      this.complete = now;
    }
    this.#local = nature.office.agenda.add(this);
    // Nodes were not all started at the same moment.
    this.#plan(now + random() * TICK_MS, TICK);
  }

  get isReading(): boolean {
    return this.#here.size < this.#nature.blocks;
  }

  /** Bytes that went over its line, framing included. */
  get sent(): number {
    return this.#line.sent;
  }

  isBusy(now: number): boolean {
    return this.#line.queued(now) > 0;
  }

  /** Comes to know another one, which calls it by some number, and tells it what is here. */
  meet(node: number, calls: number, now: number): void {
    this.#now = now;
    const number = this.#peers.add(node, calls);
    this.#holdings.join(number, node === SEEDER);
    this.#scheduler.join(number);
    this.#uploads.join(number);
    const reaches = this.#reach(now);
    this.#peers.tell(number, reaches, OPENED, Number(this.isReading));
    for (const block of this.#here) this.#peers.tell(number, reaches, HAS, block);
  }

  /** Begins to read. */
  read(now: number): void {
    const { blocks, ahead } = this.#nature;
    this.#now = now;
    for (let block = 0; block < blocks; block++) this.#scheduler.want(block, block < ahead);
    this.end();
    this.rest();
  }

  leave(now: number): void {
    this.gone = true;
    this.#peers.leave(now + this.#nature.delayMs);
  }

  begin(now: number): void {
    this.#now = now;
    this.#nature.office.mail.take(this.#local, now, this.#hear);
  }

  happen(what: number, from: number, block: number): void {
    if (what === SENT) return this.#sent();
    if (this.gone) return;
    switch (what) {
      case WOKEN: // by what was heard already
        return;
      case ARRIVED:
        return this.#arrived(from, block);
      case RECEIVED:
        return this.#receive(from, block);
      case TICK:
        if (this.isReading) this.#scheduler.tick(this.#now);
        this.#uploads.tick(this.#now);
        return this.#plan(this.#now + TICK_MS, TICK);
    }
  }

  /** What another one told, when that came. */
  readonly #hear = (what: number, from: number, block: number, at: number): void => {
    if (this.gone || !this.#peers.has(from)) return;
    switch (what) {
      case HAS:
        return this.#has(from, block, at);
      case HEARD:
        return this.#scheduler.heard(from, block, at);
      case CANCELLED:
        if (this.#uploads.cancel(from, block)) this.#line.stop(from, block);
        return;
      case LEFT:
        return this.#forget(from);
      case OPENED:
        if (block === 1) this.#scheduler.fellow(from, true);
        return;
      default:
        return this.#uploads.request(from, block, what as Level, at);
    }
  };

  /** Decides after everything that came at once was heard. */
  end(): void {
    if (this.gone) return;
    if (this.isReading && this.#scheduler.undecided) this.#decide();
    this.#pump();
  }

  rest(): void {
    this.#nature.office.watch(this.#local, {
      open: this.gone || !this.isReading ? NOTHING : this.#scheduler.open,
      serves: !this.gone && this.#uploads.unacknowledged < this.#window.size,
    });
  }

  #decide(): void {
    const reaches = this.#reach(this.#now);
    for (const decision of this.#scheduler.decide(this.#now)) {
      const { block } = decision;
      if ("ask" in decision) this.#peers.tell(decision.ask, reaches, ASKED + decision.level, block);
      // If it comes too late, that is noticed when the line has room.
      else this.#peers.tell(decision.cancel, reaches, CANCELLED, block);
    }
  }

  #pump(): void {
    for (;;) {
      const upload = this.#uploads.next(this.#now, this.#window.size);
      if (upload === undefined) return;
      const { peer, block } = upload;
      this.#uploads.sent(peer, block, this.#nature.blockBytes, this.#now);
      if (this.#line.push(peer, block)) this.#send();
    }
  }

  /** Carries the first of those on the line. */
  #send(): void {
    const { blockBytes, delayMs } = this.#nature;
    const { to, block } = this.#line.first!;
    const free = this.#line.send(this.#now, blockBytes);
    for (const at of this.#line.parts(blockBytes)) {
      this.#peers.tell(to, this.#now + delayMs + at, HEARD, block);
    }
    this.#plan(free, SENT);
  }

  #sent(): void {
    const { to, block } = this.#line.take();
    this.#peers.tell(to, this.#now + this.#nature.delayMs, CARRIED, block);
    if (this.#line.first !== undefined && !this.gone) this.#send();
  }

  /** The last of a block is at our end of the line, behind what came from others. */
  #arrived(from: number, block: number): void {
    const size = LineUp.size(this.#nature.blockBytes);
    this.received += size;
    this.#downFree = Math.max(this.#now, this.#downFree + size / this.#down);
    if (this.#downFree > this.#now) this.#plan(this.#downFree, RECEIVED, from, block);
    else this.#receive(from, block);
  }

  #receive(from: number, block: number): void {
    this.#holdings.believe(from, true);
    const reaches = this.#reach(this.#now);
    if (this.#here.has(block)) return this.#peers.tell(from, reaches, HAS, block, true);
    this.#scheduler.heard(from, block, this.#now);
    this.#here.add(block);
    const asked = this.#scheduler.settle(block);
    if (this.isReading) this.#readOn();
    else this.complete = this.#now;
    // Who sent it waits for that; those who were asked too may have it on their lines.
    this.#peers.tell(from, reaches, HAS, block, true);
    if (this.#told <= this.#now) this.#told = Math.max(this.#now, this.#told + SOON_MS);
    const isAsked = (peer: number) =>
      asked.some((told) => "cancel" in told && told.cancel === peer);
    this.#peers.announce(this.#reach(this.#told), block, isAsked);
  }

  /** A reader in order waits for the next ones. */
  #readOn(): void {
    const { blocks, ahead } = this.#nature;
    while (this.#here.has(this.#reading)) this.#reading++;
    for (let next = this.#reading, waits = 0; next < blocks && waits < ahead; next++) {
      if (this.#here.has(next)) continue;
      this.#scheduler.want(next, true);
      waits++;
    }
  }

  #has(by: number, block: number, at: number): void {
    if (this.#holdings.add(by, block)) this.#scheduler.offered(by, block);
    const full = this.#uploads.unacknowledged >= this.#window.size;
    const sent = this.#uploads.acknowledged(by, block, at);
    if (sent === undefined) return;
    this.#window.acknowledged(sent.bytes, at - sent.at, at, full);
    this.#line.stop(by, block);
  }

  #forget(peer: number): void {
    this.#peers.delete(peer);
    this.#scheduler.leave(peer);
    this.#uploads.leave(peer);
    this.#holdings.leave(peer);
    this.#line.stop(peer);
  }

  /** When a short message that is sent now will be there: it waits behind what the line's queue holds. */
  #reach(now: number): number {
    const reaches = now + this.#line.wait(this.#now) + this.#nature.delayMs;
    return this.#reaches = Math.max(this.#reaches, reaches);
  }

  #plan(time: number, what: number, from = 0, block = 0): void {
    this.#nature.office.agenda.plan(time, this.#local, what, from, block);
  }
}

const NOTHING = new Bits();
