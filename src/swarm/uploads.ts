/**
 * Which block to send to whom next: the other half of the pure machine. A line is kept busy with as few blocks on it as will do,
 * so that what is sent next is chosen as late as can be.
 *
 * The rules, in the order in which they decide:
 * 1. Who is held up by us alone is served first.
 * 2. A block that the crowd does not have yet goes before every second copy: a reader that has it gives it on. This is
 *    super-seeding (BEP 16) without its stall, for a second copy goes out as soon as there is nothing new to give.
 * 3. Who was given least is next; of what it asks for, what it waits for, then the rarest.
 */
import { Bits, cheapest } from "./bits.ts";
import type { BlockNumber, Holdings, PeerNumber } from "./holdings.ts";
import type { Level } from "./frame.ts";

/** Blocks that may be on the way to one peer however small its share is: one that it receives, one that follows. */
const PIPELINE = 2;

/** How long somebody may be kept waiting for a second copy while there are blocks that nobody has, in milliseconds. */
export const HOLD_MS = 10_000;

/** What is not acknowledged in this time, and some multiple of the usual, is not on the line any more, in milliseconds. */
const LOST_MS = 1_500;
const LOST_TIMES = 4;

/** The weight of the latest acknowledgement in what is usual. */
const SMOOTHING = 0.1;

export interface Upload {
  peer: PeerNumber;
  block: BlockNumber;
}

interface Sending {
  bytes: number;
  at: number;
}

interface Client {
  number: PeerNumber;
  wants: Bits;
  /** What it waits for, since when, in the order of asking. */
  urgent: Map<BlockNumber, { level: Level; at: number }>;
  /** On the way and not acknowledged. */
  sending: Map<BlockNumber, Sending>;
  /** Bytes given to it so far. */
  given: number;
  unacknowledged: number;
}

export class Uploads {
  readonly #holdings: Holdings;
  readonly #random: () => number;
  readonly #clients = new Map<PeerNumber, Client>();
  /** Copies on the way of each block. */
  readonly #underway = new Map<BlockNumber, number>();
  #unacknowledged = 0;
  /** How long an acknowledgement takes, in milliseconds. */
  #usual = 0;

  constructor(holdings: Holdings, random: () => number) {
    this.#holdings = holdings;
    this.#random = random;
  }

  /** Bytes that were sent and not acknowledged. */
  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  join(number: PeerNumber): void {
    // Nobody has to make up for what others got before.
    let given = Infinity;
    for (const client of this.#clients.values()) given = Math.min(given, client.given);
    this.#clients.set(number, {
      number,
      wants: new Bits(),
      urgent: new Map(),
      sending: new Map(),
      given: Number.isFinite(given) ? given : 0,
      unacknowledged: 0,
    });
  }

  leave(number: PeerNumber): void {
    const client = this.#clients.get(number);
    if (client === undefined) return;
    for (const block of [...client.sending.keys()]) this.#landed(client, block);
    this.#clients.delete(number);
  }

  request(number: PeerNumber, block: BlockNumber, level: Level, now: number): void {
    const client = this.#clients.get(number);
    if (client === undefined || client.sending.has(block)) return;
    client.wants.add(block);
    if (level === 0) client.urgent.delete(block);
    else client.urgent.set(block, { level, at: client.urgent.get(block)?.at ?? now });
  }

  /** @returns whether the block was on its way */
  cancel(number: PeerNumber, block: BlockNumber): boolean {
    const client = this.#clients.get(number);
    if (client === undefined) return false;
    client.wants.delete(block);
    client.urgent.delete(block);
    return this.#landed(client, block) !== undefined;
  }

  /** The peer has the block. @returns when it was sent to it, and how much that was, if it was */
  acknowledged(number: PeerNumber, block: BlockNumber, now: number): Sending | undefined {
    const client = this.#clients.get(number);
    if (client === undefined) return undefined;
    client.wants.delete(block);
    client.urgent.delete(block);
    const sending = this.#landed(client, block);
    if (sending === undefined) return undefined;
    const took = now - sending.at;
    this.#usual += (took - this.#usual) * (this.#usual === 0 ? 1 : SMOOTHING);
    return sending;
  }

  /** Forgets what was sent long ago and never acknowledged: the peer is slow or gone, and others should not wait for it. */
  tick(now: number): void {
    const lost = LOST_MS + this.#usual * LOST_TIMES;
    for (const client of this.#clients.values()) {
      for (const [block, { at }] of [...client.sending]) {
        if (now - at > lost) this.#landed(client, block);
      }
    }
  }

  /** A block went on its way. */
  sent(number: PeerNumber, block: BlockNumber, bytes: number, now: number): void {
    const client = this.#clients.get(number);
    if (client === undefined) return;
    client.wants.delete(block);
    client.urgent.delete(block);
    client.sending.set(block, { bytes, at: now });
    client.given += bytes;
    client.unacknowledged += bytes;
    this.#unacknowledged += bytes;
    this.#underway.set(block, (this.#underway.get(block) ?? 0) + 1);
  }

  /**
   * What to send next, if anybody asks for anything and the line has room.
   *
   * @param window bytes that may be on the way at once, shared by those who ask
   */
  next(now: number, window: number): Upload | undefined {
    if (this.#unacknowledged >= window) return undefined;
    const asking = [...this.#clients.values()].filter(({ wants }) => wants.size > 0);
    const share = window / asking.length;
    const clients = asking
      .filter(({ sending, unacknowledged }) => sending.size < PIPELINE || unacknowledged < share)
      .sort((one, other) => one.given - other.given);
    for (const client of clients) {
      for (const [block, { level }] of client.urgent) {
        if (level === 2) return { peer: client.number, block };
      }
    }
    for (const client of clients) {
      const block = this.#unspread(client, now);
      if (block !== undefined) return { peer: client.number, block };
    }
    for (const client of clients) {
      const block = client.urgent.keys().next().value ?? this.#rarest(client);
      if (block !== undefined) return { peer: client.number, block };
    }
    return undefined;
  }

  /** Something that nobody else in the crowd has or gets, or that was waited for long enough. */
  #unspread(client: Client, now: number): BlockNumber | undefined {
    for (const [block, { at }] of client.urgent) {
      if (this.#copies(block) === 0 || now - at > HOLD_MS) return block;
    }
    const block = this.#rarest(client);
    return block !== undefined && this.#copies(block) === 0 ? block : undefined;
  }

  #rarest({ wants }: Client): BlockNumber | undefined {
    const from = Math.floor(this.#random() * wants.words.length * 32);
    return cheapest(wants, wants, (block) => this.#copies(block), from, 0);
  }

  /** Copies that the crowd has or is about to have. */
  #copies(block: BlockNumber): number {
    return this.#holdings.copies(block) + (this.#underway.get(block) ?? 0);
  }

  #landed(client: Client, block: BlockNumber): Sending | undefined {
    const sending = client.sending.get(block);
    if (sending === undefined) return undefined;
    client.sending.delete(block);
    client.unacknowledged -= sending.bytes;
    this.#unacknowledged -= sending.bytes;
    const left = this.#underway.get(block)! - 1;
    if (left > 0) this.#underway.set(block, left);
    else this.#underway.delete(block);
    return sending;
  }
}
