/**
 * Which block to send to whom next: the other half of the pure machine. A line is kept busy with as few blocks on it as will do,
 * so that what is sent next is chosen as late as can be.
 *
 * The rules, in the order in which they decide:
 * 1. *Held up by us.* Who waits and has nobody else is served first, until it is far ahead of others; but of what the crowd has
 *    already, only with every second block while there is something new to give, so that those who hurry cannot stop the crowd.
 * 2. *Unspread first.* A block that the crowd does not have yet goes before every second copy: a reader that has it gives it on.
 *    This is super-seeding (BEP 16) without its stall, for a second copy goes out as soon as there is nothing new to give, or
 *    somebody has waited for it too long. Who says to have what we gave nobody is not believed (holdings.ts).
 * 3. *Fair.* Who was given least is next; of what it asks for, what it waits for, then the rarest.
 */
import { type Bits, cheapest, outside } from "./bits.ts";
import {
  type Client,
  createClient,
  heldUp,
  mayReceive,
  type Sending,
  waitedFor,
} from "./client.ts";
import { Counts } from "./counts.ts";
import type { BlockNumber, Holdings, PeerNumber } from "./holdings.ts";
import type { Level } from "./frame.ts";

/** How long somebody may be kept waiting for a second copy while there are blocks that nobody has, in milliseconds. */
export const HOLD_MS = 10_000;

/**
 * Who waits and has nobody else is served before others until it is so many bytes ahead of them. It is its own word, and who says
 * it of everything is then served like all.
 */
export const MOST_AHEAD: number = 1024 * 1024;

/** What is not acknowledged in this time, and some multiple of the usual, is not on the line any more, in milliseconds. */
export const LOST_MS = 1_500;
const LOST_TIMES = 4;

/** The weight of the latest acknowledgement in what is usual. */
const SMOOTHING = 0.1;

/** Blocks that are looked at for the rarest one. */
const SAMPLE = 64;

export interface Upload {
  peer: PeerNumber;
  block: BlockNumber;
}

export class Uploads {
  readonly #holdings: Holdings;
  readonly #random: () => number;
  readonly #clients = new Map<PeerNumber, Client>();
  /** Those to whom something is on the way. */
  readonly #receiving = new Set<Client>();
  /** What anybody asks for, and how many do. */
  readonly #asked = new Counts();
  /** What is on the way, and how many copies are. */
  readonly #underway = new Counts();
  /** What was sent and not acknowledged yet, however long ago, and to how many. */
  readonly #sent = new Counts();
  /** Clients that ask for anything, and what they have nobody else for. */
  #asking = 0;
  #heldUp = 0;
  /** The last block went to one who was held up, as a second copy. */
  #favoured = false;
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
    this.#clients.set(number, createClient(number, Number.isFinite(given) ? given : 0));
  }

  leave(number: PeerNumber): void {
    const client = this.#clients.get(number);
    if (client === undefined) return;
    for (const block of [...client.wants]) this.#unask(client, block);
    for (const block of [...client.sending.keys()]) this.#landed(client, block);
    for (const block of client.sent) this.#sent.remove(block);
    this.#clients.delete(number);
  }

  request(number: PeerNumber, block: BlockNumber, level: Level, now: number): void {
    const client = this.#clients.get(number);
    if (client === undefined || client.sending.has(block)) return;
    if (client.wants.add(block)) {
      this.#asked.add(block);
      if (client.wants.size === 1) this.#asking++;
    }
    const at = client.urgent.get(block)?.at ?? now;
    this.#calm(client, block);
    if (level === 0) return;
    client.urgent.set(block, { level, at });
    if (level === 2) {
      client.heldUp++;
      this.#heldUp++;
    }
  }

  /** @returns whether the block was on its way */
  cancel(number: PeerNumber, block: BlockNumber): boolean {
    const client = this.#clients.get(number);
    if (client === undefined) return false;
    this.#unask(client, block);
    this.#receive(client, block);
    return this.#landed(client, block) !== undefined;
  }

  /**
   * The peer has the block.
   *
   * @param whole whether it was sent all of it, if anything: who says so sooner has it from somebody else, or has it not
   * @returns when it was sent to it, and how much that was, if it was and not long ago
   */
  acknowledged(
    number: PeerNumber,
    block: BlockNumber,
    now: number,
    whole = true,
  ): Sending | undefined {
    // As nearly always: a crowd tells of much that we were not asked for.
    if (this.#sent.of(block) === 0 && this.#asked.of(block) === 0) return undefined;
    const client = this.#clients.get(number);
    if (client === undefined) return undefined;
    if (this.#receive(client, block) && whole) this.#holdings.gave(block);
    this.#unask(client, block);
    const sending = this.#landed(client, block);
    if (sending === undefined) return undefined;
    const took = now - sending.at;
    this.#usual += (took - this.#usual) * (this.#usual === 0 ? 1 : SMOOTHING);
    return sending;
  }

  /** Forgets what was sent long ago and never acknowledged: the peer is slow or gone, and others should not wait for it. */
  tick(now: number): void {
    const lost = LOST_MS + this.#usual * LOST_TIMES;
    for (const client of this.#receiving) {
      for (const [block, { at }] of client.sending) {
        if (now - at > lost) this.#landed(client, block);
      }
    }
  }

  /** A block went on its way. */
  sent(number: PeerNumber, block: BlockNumber, bytes: number, now: number): void {
    const client = this.#clients.get(number);
    if (client === undefined) return;
    this.#favoured = client.urgent.get(block)?.level === 2 && this.#copies(block) > 0;
    this.#unask(client, block);
    this.#landed(client, block);
    client.sending.set(block, { bytes, at: now });
    if (client.sent.add(block)) this.#sent.add(block);
    this.#receiving.add(client);
    client.given += bytes;
    client.unacknowledged += bytes;
    this.#unacknowledged += bytes;
    this.#underway.add(block);
  }

  /**
   * What to send next, if anybody asks for anything and the line has room.
   *
   * @param window bytes that may be on the way at once, shared by those who ask
   */
  next(now: number, window: number): Upload | undefined {
    if (this.#asking === 0 || this.#unacknowledged >= window) return undefined;
    const share = window / this.#asking;
    const isNew = this.#isAnythingNew();
    return (this.#heldUp > 0 && !(isNew && this.#favoured) && this.#hurried(share)) ||
      (isNew && this.#leastGiven(share, (client) => this.#new(client, now))) ||
      this.#leastGiven(share, (client) => waitedFor(client) ?? this.#rarest(client));
  }

  /** What somebody has nobody else for, who is not too far ahead of any other who could be sent something now. */
  #hurried(share: number): Upload | undefined {
    const upload = this.#leastGiven(share, heldUp);
    if (upload === undefined) return undefined;
    const { given } = this.#clients.get(upload.peer)!;
    for (const client of this.#clients.values()) {
      if (client.given < given - MOST_AHEAD && mayReceive(client, share)) return undefined;
    }
    return upload;
  }

  /** Of those whose share leaves room, and for whom there is something, the one that was given least. */
  #leastGiven(
    share: number,
    choose: (client: Client) => BlockNumber | undefined,
  ): Upload | undefined {
    let least = Infinity;
    let upload: Upload | undefined;
    for (const client of this.#clients.values()) {
      if (client.given >= least || !mayReceive(client, share)) continue;
      const block = choose(client);
      if (block === undefined) continue;
      least = client.given;
      upload = { peer: client.number, block };
    }
    return upload;
  }

  /** Whether anybody asks for something that nobody else in the crowd has or gets. */
  #isAnythingNew(): boolean {
    return outside(this.#asked.some, this.#holdings.spread, this.#underway.some, 0) !== undefined;
  }

  /** Something that nobody else in the crowd has or gets, or that was waited for long enough. */
  #new(client: Client, now: number): BlockNumber | undefined {
    for (const [block, { at }] of client.urgent) {
      if (this.#copies(block) === 0 || now - at > HOLD_MS) return block;
    }
    const from = this.#somewhere(client.wants);
    return outside(client.wants, this.#holdings.spread, this.#underway.some, from);
  }

  #rarest({ wants }: Client): BlockNumber | undefined {
    const copies = (block: BlockNumber) => this.#copies(block);
    return cheapest(wants, wants, copies, {
      from: this.#somewhere(wants),
      enough: 0,
      most: SAMPLE,
    });
  }

  /** Copies that the crowd has or is about to have. */
  #copies(block: BlockNumber): number {
    return this.#holdings.copies(block) + this.#underway.of(block);
  }

  #somewhere(among: Bits): number {
    return Math.floor(this.#random() * among.words.length * 32);
  }

  #unask(client: Client, block: BlockNumber): void {
    if (client.wants.size === 0 || !client.wants.delete(block)) return;
    this.#asked.remove(block);
    if (client.wants.size === 0) this.#asking--;
    this.#calm(client, block);
  }

  /** It does not wait for a block any more. */
  #calm(client: Client, block: BlockNumber): void {
    const urgent = client.urgent.get(block);
    if (urgent === undefined) return;
    client.urgent.delete(block);
    if (urgent.level < 2) return;
    client.heldUp--;
    this.#heldUp--;
  }

  /** @returns whether it was sent to the client, and that not acknowledged */
  #receive({ sent }: Client, block: BlockNumber): boolean {
    const was = sent.size > 0 && sent.delete(block);
    if (was) this.#sent.remove(block);
    return was;
  }

  #landed(client: Client, block: BlockNumber): Sending | undefined {
    const sending = client.sending.size > 0 ? client.sending.get(block) : undefined;
    if (sending === undefined) return undefined;
    client.sending.delete(block);
    if (client.sending.size === 0) this.#receiving.delete(client);
    client.unacknowledged -= sending.bytes;
    this.#unacknowledged -= sending.bytes;
    this.#underway.remove(block);
    return sending;
  }
}
