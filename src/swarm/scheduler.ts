/**
 * Which block to ask of whom: a pure machine. Events go in, with their time where it matters; `decide` tells what to ask for
 * and what to ask for no longer. It has no clock, no sockets, and its randomness is given to it, so that the same code runs in
 * a node, in a test and in a simulation of ten thousand readers.
 *
 * The rules, in the order in which they decide:
 * 1. *Urgent first.* What somebody waits for goes before what can wait; in a crowd only the next blocks of it (urgency.ts).
 * 2. *Crowd first.* The crowd goes before the seeder: what is merely queued at a seeder is taken over by a peer that gets it.
 * 3. *Rarest first*, ties by chance, so that readers have different things to give. Words alone make nothing less rare
 *    (holdings.ts), and who has given nothing yet is asked for less.
 * 4. *All of a seeder.* A seeder is asked for everything that nobody else has, each of several for its share; it chooses itself
 *    what it has sent least (uploads.ts).
 * 5. *Nobody idle.* A peer with nothing left to send takes over half of the longest queue, or else what was queued for long, or
 *    else doubles what is slow to come; nothing is asked of a third, and whoever loses is told (takeover.ts).
 * 6. *Stalls.* What was asked of a peer that is silent is asked of others; the peer is tried again later (patience.ts).
 * Source: Legout, Urvoy-Keller, Michiardi, "Rarest first and choke algorithms are enough" (IMC 2006).
 */
import { type AskedPeer, Asks } from "./asks.ts";
import { type Bits, cheapest, eachCommon, haveCommon } from "./bits.ts";
import type { Level } from "./frame.ts";
import type { BlockNumber, Holdings, PeerNumber } from "./holdings.ts";
import { isTooSilent, mayTryAgain } from "./patience.ts";
import { hasRoom, leastAsked } from "./queues.ts";
import { takeOver, worthTaking } from "./takeover.ts";
import { Urgency } from "./urgency.ts";

export type Decision =
  | { ask: PeerNumber; block: BlockNumber; level: Level }
  | { cancel: PeerNumber; block: BlockNumber };

/** Who was not told of the time for so long has slept itself, and cannot say who else did, in milliseconds. */
const ASLEEP_MS = 1_000;

/** How long a peer is not asked for what it would not give, in milliseconds. */
export const REFUSED_MS = 2_000;

/** Blocks that are looked at for the rarest one: a sample is as good, and costs the same however many there are. */
const SAMPLE = 64;

export class Scheduler {
  readonly #holdings: Holdings;
  readonly #random: () => number;
  readonly #asks: Asks;
  readonly #urgency: Urgency;
  /** Decided, and not told yet. */
  #pending: Decision[] = [];
  #now = 0;
  #ticked = 0;

  /** @param random a number from 0 up to 1 */
  constructor(holdings: Holdings, random: () => number) {
    this.#holdings = holdings;
    this.#random = random;
    this.#asks = new Asks(holdings);
    this.#urgency = new Urgency((block) => this.#asks.soil(block));
  }

  /** How many blocks are wanted that are not here. */
  get wanting(): number {
    return this.#asks.wanted.size;
  }

  /** Blocks that a peer of the crowd may be asked for as soon as it has them. */
  get open(): Bits {
    return this.#asks.open;
  }

  /** Whether there may be something to decide. */
  get undecided(): boolean {
    return this.#asks.dirty.size > 0 || this.#pending.length > 0;
  }

  /** A peer comes; the holdings know it already. */
  join(number: PeerNumber): void {
    this.#asks.join(number, this.#now);
  }

  leave(number: PeerNumber): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined) return;
    this.fellow(number, false);
    this.#asks.leave(peer);
  }

  /** A peer reads what we read, or no longer does. */
  fellow(number: PeerNumber, reads: boolean): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined || peer.fellow === reads) return;
    peer.fellow = reads;
    this.#urgency.fellows(reads ? 1 : -1);
    if (!reads) return;
    for (const [ask, block] of this.#asks.calm((block) => this.#urgency.levelOf(block) < 2)) {
      this.#pending.push({ ask, block, level: 1 });
    }
  }

  /** A peer got a block; the holdings know it already. */
  offered(number: PeerNumber, block: BlockNumber): void {
    const isOpen = this.#asks.open.has(block); // what is asked of the crowd may be taken over, in its time
    if (!isOpen && this.#asks.refusals === 0) return; // as nearly always: a crowd tells of much, and is not looked at for it
    const peer = this.#asks.peers.get(number);
    if (peer === undefined) return;
    this.#asks.relent(peer, block);
    if (!isOpen || peer.stalled) return;
    if (hasRoom(peer) || this.#urgency.levelOf(block) > 0 || peer.holder.seeder) {
      this.#asks.dirty.add(peer);
    }
  }

  /**
   * Asks for a block, or asks for it again: somebody waits for it, or nobody does any more.
   *
   * @param leads whether the block leads to more that is wanted
   */
  want(block: BlockNumber, awaited: boolean, leads = false): void {
    this.#asks.want(block);
    if (leads) this.#urgency.lead(block);
    this.#urgency.await(block, awaited);
  }

  /** It is here, or nobody wants it any more. @returns what to tell whom in the second case: to have it says as much */
  settle(block: BlockNumber): Decision[] {
    const asks = this.#asks.drop(block, this.#now);
    this.#urgency.forget(block);
    return asks.map(({ peer }) => ({ cancel: peer.number, block }));
  }

  /** A peer has not got what it was asked for, or would not give it: others are asked for it, and this one after a while. */
  refused(number: PeerNumber, block: BlockNumber): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined || !peer.asked.has(block)) return;
    this.#asks.refuse(peer, block, this.#now);
  }

  isStalled(number: PeerNumber): boolean {
    return this.#asks.peers.get(number)?.stalled ?? false;
  }

  /** Whether it has sent nothing since it stalled, even if it was asked anew. */
  isDoubtful(number: PeerNumber): boolean {
    return (this.#asks.peers.get(number)?.stalls ?? 0) > 0;
  }

  /** Bytes of a block came. */
  heard(number: PeerNumber, block: BlockNumber, now: number): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined) return;
    this.#now = now;
    peer.heard = now;
    peer.stalls = 0;
    if (peer.stalled) this.#asks.recover(peer);
    this.#asks.begin(peer, block, now);
  }

  /** Time passes: who keeps others waiting is found. */
  tick(now: number): void {
    const asleep = now - this.#ticked > ASLEEP_MS;
    let late: Bits | undefined;
    this.#ticked = this.#now = now;
    for (const peer of this.#asks.peers.values()) {
      if (this.#asks.refusals > 0) this.#relent(peer);
      if (asleep) peer.heard = now;
      if (peer.stalled) {
        if (mayTryAgain(peer, now)) this.#forgive(peer);
      } else if (peer.asked.size === 0) {
        late ??= worthTaking(this.#asks, now); // elsewhere, by now
        if (haveCommon(peer.holder.has, late)) this.#asks.dirty.add(peer);
      } else if (isTooSilent(peer, this.#asks.usual, now)) {
        this.#leaveStalled(peer);
      }
    }
  }

  #relent(peer: AskedPeer): void {
    for (const [block, at] of peer.refused) {
      if (this.#now - at > REFUSED_MS) this.#asks.relent(peer, block);
    }
  }

  #leaveStalled(peer: AskedPeer): void {
    peer.stalled = true;
    peer.stalls++;
    this.#holdings.believe(peer.number, false); // what it does not give is not spread by it
    peer.heard = this.#now; // it is left for so long from now on
    for (const block of peer.asked.keys()) {
      this.#urgency.fail(block);
      this.#asks.reopen(block);
    }
  }

  /** A peer that stalled is asked anew, as if nothing had been asked of it: it may have forgotten. */
  #forgive(peer: AskedPeer): void {
    peer.stalled = false;
    peer.heard = this.#now;
    for (const block of [...peer.asked.keys()]) {
      this.#pending.push({ cancel: peer.number, block });
      this.#asks.remove(peer, block);
    }
    this.#asks.dirty.add(peer);
  }

  /** What to tell whom, after what has happened. */
  decide(now: number): Decision[] {
    this.#now = now;
    const decisions = this.#pending;
    this.#pending = [];
    if (this.wanting > 0) {
      // The crowd chooses before the seeders do.
      const seeders: AskedPeer[] = [];
      for (const peer of this.#asks.dirty) {
        if (peer.stalled) continue;
        if (peer.holder.seeder) seeders.push(peer);
        else this.#fill(peer, decisions);
      }
      if (seeders.length > 0) this.#askSeeders(seeders, decisions);
    }
    this.#asks.dirty.clear();
    return decisions;
  }

  #fill(peer: AskedPeer, decisions: Decision[]): void {
    const { has } = peer.holder;
    // It does not wait for what can wait.
    for (const block of this.#urgency.urgent) {
      if (has.has(block) && !this.#asks.refuses(peer, block)) {
        this.#askUrgent(peer, block, decisions);
      }
    }
    while (hasRoom(peer)) {
      const block = this.#rarest(peer, has);
      if (block === undefined) break;
      this.#ask(peer, block, decisions);
    }
    if (peer.asked.size === 0) this.#busy(peer, has, decisions);
  }

  /** Seeders are asked for everything; where there are several, each for its share. */
  #askSeeders(seeders: AskedPeer[], decisions: Decision[]): void {
    for (const block of this.#urgency.urgent) {
      const peer = leastAsked(seeders, block);
      if (peer !== undefined) this.#askUrgent(peer, block, decisions);
    }
    for (const seeder of seeders) {
      const { has } = seeder.holder;
      if (this.#asks.free.size > 0) {
        eachCommon(has, this.#asks.free, (block) => {
          const peer = leastAsked(seeders, block);
          if (peer !== undefined) this.#ask(peer, block, decisions);
        });
      }
      if (seeder.asked.size === 0) this.#busy(seeder, has, decisions);
    }
  }

  /** What somebody waits for is asked now, or, where it was asked before, asked with more weight. */
  #askUrgent(peer: AskedPeer, block: BlockNumber, decisions: Decision[]): void {
    const ask = peer.asked.get(block);
    const level = this.#urgency.levelOf(block);
    if (ask !== undefined) {
      if (ask.begun !== undefined || ask.level === level) return;
      ask.level = level;
      decisions.push({ ask: peer.number, block, level });
    } else if ((peer.holder.seeder ? this.#asks.free : this.#asks.open).has(block)) {
      this.#ask(peer, block, decisions);
    }
  }

  /** The rarest block that a peer has and that is open. A copy is the least that its own blocks can have. */
  #rarest(peer: AskedPeer, has: Bits): BlockNumber | undefined {
    const { open } = this.#asks;
    if (open.size === 0) return undefined;
    const copies = (block: BlockNumber) =>
      this.#asks.refuses(peer, block) ? Infinity : this.#holdings.copies(block);
    return cheapest(has, open, copies, { from: this.#somewhere(open), enough: 1, most: SAMPLE });
  }

  /** Finds something to do for a peer that has nothing to send. */
  #busy(idle: AskedPeer, has: Bits, decisions: Decision[]): void {
    const from = this.#somewhere(this.#asks.single);
    for (const block of takeOver(this.#asks, has, this.#now, from)) {
      if (!this.#asks.refuses(idle, block)) this.#ask(idle, block, decisions);
    }
  }

  #ask(peer: AskedPeer, block: BlockNumber, decisions: Decision[]): void {
    for (const { peer: other, begun } of this.#asks.of(block)) {
      if (begun !== undefined) continue; // it may come first yet
      decisions.push({ cancel: other.number, block });
      this.#asks.take(other, block);
    }
    const level = this.#urgency.levelOf(block);
    this.#asks.add(peer, block, level, this.#now);
    decisions.push({ ask: peer.number, block, level });
  }

  #somewhere(among: Bits): number {
    return Math.floor(this.#random() * among.words.length * 32);
  }
}
