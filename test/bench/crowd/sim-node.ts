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
import type { Actor, Agenda } from "./sim-agenda.ts";
import type { Interests } from "./sim-interests.ts";
import { LineUp } from "./sim-line.ts";
import type { Mail } from "./sim-mail.ts";

/** How often a node looks for who keeps it waiting, as swarm.ts does, in milliseconds. */
const TICK_MS = 250;

/** How long news of blocks waits for more of it, as in session.ts, in milliseconds. */
const SOON_MS = 30;

/** What happens to a node. */
const WOKEN = 0, ARRIVED = 1, RECEIVED = 2, SENT = 3, TICK = 4;

/** What it is told: a request is told with its level. */
const ASKED = 0, CANCELLED = 3, HAS = 4, HEARD = 5, LEFT = 6;

/** What all nodes share. */
export interface Nature {
  readonly agenda: Agenda;
  readonly mail: Mail;
  readonly interests: Interests;
  readonly random: () => number;
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
  readonly #id: number;
  readonly #nature: Nature;
  readonly #holdings = new Holdings();
  readonly #scheduler: Scheduler;
  readonly #uploads: Uploads;
  readonly #window = new Window();
  readonly #line: LineUp;
  /** The nodes that it knows, by the numbers that it calls them; -1 for who left. */
  #peers = new Int32Array(32).fill(-1);
  /** What they call it. */
  #calls = new Int32Array(32);
  /** How many it ever knew, and how many are left. */
  #known = 0;
  #degree = 0;
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

  /** @param lines bits per second */
  constructor(
    nature: Nature,
    { now, isSeeder, lines }: {
      now: number;
      isSeeder: boolean;
      lines: { up: number; down: number };
    },
  ) {
    this.#nature = nature;
    this.#now = now;
    this.isSeeder = isSeeder;
    this.#line = new LineUp(lines.up);
    this.#down = lines.down / 8000;
    this.#scheduler = new Scheduler(this.#holdings, nature.random);
    this.#uploads = new Uploads(this.#holdings, nature.random);
    this.#here = new Bits(nature.blocks);
    if (isSeeder) {
      for (let block = 0; block < nature.blocks; block++) this.#here.add(block);
      this.complete = now;
    }
    this.#id = nature.agenda.add(this);
    // Nodes were not all started at the same moment.
    this.#plan(now + nature.random() * TICK_MS, TICK);
  }

  get isReading(): boolean {
    return this.#here.size < this.#nature.blocks;
  }

  /** How many others it knows. */
  get degree(): number {
    return this.#degree;
  }

  /** Bytes that went over its line, framing included. */
  get sent(): number {
    return this.#line.sent;
  }

  isBusy(now: number): boolean {
    return this.#line.queued(now) > 0;
  }

  knows(other: SimNode): boolean {
    return this.#peers.includes(other.#id);
  }

  /** Two come to know each other. */
  static introduce(one: SimNode, other: SimNode): void {
    const calls = other.#known;
    other.#meet(one, one.#known);
    one.#meet(other, calls);
  }

  #meet(other: SimNode, calls: number): void {
    const number = this.#known++;
    if (number === this.#peers.length) {
      const peers = this.#peers, calls = this.#calls;
      this.#peers = new Int32Array(2 * number).fill(-1);
      this.#calls = new Int32Array(2 * number);
      this.#peers.set(peers);
      this.#calls.set(calls);
    }
    this.#peers[number] = other.#id;
    this.#calls[number] = calls;
    this.#degree++;
    this.#holdings.join(number, other.isSeeder);
    this.#scheduler.join(number);
    this.#uploads.join(number);
    if (other.isReading) this.#scheduler.fellow(number, true);
    for (const block of other.#here) {
      if (this.#holdings.add(number, block, true)) this.#scheduler.offered(number, block);
    }
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
    for (let peer = 0; peer < this.#known; peer++) {
      this.#tell(peer, now + this.#nature.delayMs, LEFT, 0, true);
    }
  }

  begin(now: number): void {
    this.#now = now;
    this.#nature.mail.take(this.#id, now, this.#hear);
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
    if (this.gone || this.#peers[from]! < 0) return;
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

  /** Looks at what matters of the mail to come when it comes. */
  rest(): void {
    const { interests, mail } = this.#nature;
    const id = this.#id;
    const serves = !this.gone && this.#uploads.unacknowledged < this.#window.size;
    const open = this.gone || !this.isReading ? NOTHING : this.#scheduler.open;
    if (!interests.set(id, open, serves)) return;
    mail.peek(id, (what, block, time) => {
      if (what <= ASKED + 2 ? interests.serves(id) : what === HAS && interests.reads(id, block)) {
        this.#plan(time, WOKEN);
      }
    });
  }

  #decide(): void {
    const reaches = this.#reach(this.#now);
    for (const decision of this.#scheduler.decide(this.#now)) {
      const { block } = decision;
      if ("ask" in decision) {
        const node = this.#peers[decision.ask]!;
        const matters = node >= 0 && this.#nature.interests.serves(node);
        this.#tell(decision.ask, reaches, ASKED + decision.level, block, matters);
      } else this.#tell(decision.cancel, reaches, CANCELLED, block, false);
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
      this.#tell(to, this.#now + delayMs + at, HEARD, block, false);
    }
    this.#plan(free, SENT);
  }

  #sent(): void {
    const { agenda, delayMs } = this.#nature;
    const { to, block } = this.#line.take();
    const node = this.#peers[to]!;
    if (node >= 0) agenda.plan(this.#now + delayMs, node, ARRIVED, this.#calls[to], block);
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
    const reaches = this.#reach(this.#now);
    if (this.#here.has(block)) return this.#tell(from, reaches, HAS, block, true);
    this.#scheduler.heard(from, block, this.#now);
    this.#here.add(block);
    const asked = this.#scheduler.settle(block);
    if (this.isReading) this.#readOn();
    else this.complete = this.#now;
    this.#told = Math.max(this.#now, this.#told + SOON_MS);
    const news = this.#reach(this.#told);
    const { interests } = this.#nature;
    for (let peer = 0; peer < this.#known; peer++) {
      const node = this.#peers[peer]!;
      if (node < 0) continue;
      // Those who were asked may have it on their lines.
      const matters = peer === from || interests.reads(node, block) ||
        asked.some((told) => "cancel" in told && told.cancel === peer);
      this.#tell(peer, peer === from ? reaches : news, HAS, block, matters);
    }
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
    this.#peers[peer] = -1;
    this.#degree--;
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

  /** @param matters whether it is looked at as soon as it comes, and not with what is looked at next */
  #tell(peer: number, time: number, what: number, block: number, matters: boolean): void {
    const node = this.#peers[peer]!;
    if (node < 0) return;
    const { mail, agenda } = this.#nature;
    mail.post(node, time, what, this.#calls[peer]!, block);
    if (matters) agenda.plan(time, node, WOKEN);
  }

  #plan(time: number, what: number, from = 0, block = 0): void {
    this.#nature.agenda.plan(time, this.#id, what, from, block);
  }
}

const NOTHING = new Bits();
