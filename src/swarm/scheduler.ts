/**
 * Which block to ask of whom: a pure machine. Events go in, with their time where it matters; `decide` tells what to ask for
 * and what to ask for no longer. It has no clock, no sockets, and its randomness is given to it, so that the same code runs in
 * a node, in a test and in a simulation of ten thousand readers.
 *
 * The rules, in the order in which they decide:
 * 1. What somebody waits for goes before what can wait.
 * 2. The crowd goes before the seeder: what is merely queued at a seeder is taken over by a peer that gets it.
 * 3. Rarest first, ties by chance, so that readers have different things to give.
 * 4. Of a seeder everything is asked that nobody else has: the seeder chooses what it has sent least (uploads.ts).
 * 5. Who has nothing left to send takes over what is only queued elsewhere.
 * 6. Near the end, and where a peer stalls, a second one is asked; whoever loses is told.
 * Source: Legout, Urvoy-Keller, Michiardi, "Rarest first and choke algorithms are enough" (IMC 2006).
 */
import { type AskedPeer, Asks } from "./asks.ts";
import { Bits, cheapest, eachCommon } from "./bits.ts";
import type { Level } from "./frame.ts";
import type { BlockNumber, Holdings, PeerNumber } from "./holdings.ts";

export type Decision =
  | { ask: PeerNumber; block: BlockNumber; level: Level }
  | { cancel: PeerNumber; block: BlockNumber };

/** Blocks asked of one peer that has only a part: enough for it to choose from, few enough to be asked elsewhere in time. */
export const QUEUE = 16;

/** A peer with this many fewer blocks to send than another takes over from it. */
const STEAL = 2;

/** How long a peer may send nothing more of a block that it began before others are asked too, in milliseconds. */
export const STALL_MS = 1_500;

/** The same where it has begun with nothing: it may have many to serve. */
const PATIENCE_MS = 4_000;

/** The same for a seeder. */
const SEEDER_MS = 15_000;

/** A block that takes longer than this is asked of a second peer, if one has nothing else to do, in milliseconds. */
const SLOW_MS = 3_000;

/** When a peer that stalled is tried again, in milliseconds; twice as long each time, up to 2^4 times. */
const FORGIVE_MS = 1_000;
const MAX_DOUBLINGS = 4;

/** Who was not told of the time for so long has slept itself, and cannot say who else did, in milliseconds. */
const ASLEEP_MS = 1_000;

export class Scheduler {
  readonly #holdings: Holdings;
  readonly #random: () => number;
  readonly #asks: Asks;
  /** Asked of a peer that stalled: the crowd does not bring it. */
  readonly #failed = new Bits();
  /** What somebody waits for, in the order of asking. */
  readonly #awaited = new Set<BlockNumber>();
  /** Those of them that are urgent now. */
  #urgent: readonly BlockNumber[] = [];
  /** Decided, and not told yet. */
  #pending: Decision[] = [];
  #fellows = 0;
  #now = 0;
  #ticked = 0;

  /** @param random a number from 0 up to 1 */
  constructor(holdings: Holdings, random: () => number) {
    this.#holdings = holdings;
    this.#random = random;
    this.#asks = new Asks(holdings);
  }

  /** How many blocks are wanted that are not here. */
  get wanting(): number {
    return this.#asks.wanted.size;
  }

  /** Whether there may be something to decide. */
  get undecided(): boolean {
    return this.#asks.dirty.size > 0 || this.#pending.length > 0;
  }

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
    this.#fellows += reads ? 1 : -1;
    this.#press();
  }

  /** A peer got a block; the holdings know it already. */
  offered(number: PeerNumber, block: BlockNumber): void {
    if (!this.#asks.wanted.has(block)) return;
    const peer = this.#asks.peers.get(number);
    if (peer === undefined || peer.stalled) return;
    const { size } = peer.asked;
    if (size === 0 || size < depth(peer) && this.#asks.open.has(block)) this.#asks.dirty.add(peer);
    else if (this.#urgent.includes(block)) this.#asks.dirty.add(peer);
    if (K.share) this.#share(peer, block);
  }

  #share(peer: AskedPeer, block: BlockNumber): void {
    if (this.#asks.open.has(block) || this.#holdings.isSeeder(peer.number)) return;
    const [asked, second] = this.#asks.of(block);
    if (asked === undefined || second !== undefined || this.#asks.hasBegun(asked, block)) return;
    if (peer.asked.size >= asked.asked.size) return;
    if (this.#random() * this.#holdings.copies(block) < 1) this.#ask(peer, block, this.#pending);
  }

  /** Asks for a block, or asks for it again with another urgency. */
  want(block: BlockNumber, awaited: boolean): void {
    this.#asks.want(block);
    if (this.#awaited.has(block) === awaited) return;
    if (awaited) this.#awaited.add(block);
    else this.#awaited.delete(block);
    this.#press();
  }

  /** It is here, or nobody wants it any more. @returns what to tell whom in the second case: to have it says as much */
  settle(block: BlockNumber): Decision[] {
    this.#failed.delete(block);
    const askers = this.#asks.drop(block);
    if (this.#awaited.delete(block)) this.#press();
    return askers.map(({ number }) => ({ cancel: number, block }));
  }

  /** A peer has not got what it was asked for, or would not give it. */
  refused(number: PeerNumber, block: BlockNumber): void {
    const peer = this.#asks.peers.get(number);
    if (peer !== undefined) this.#asks.remove(peer, block);
  }

  isStalled(number: PeerNumber): boolean {
    return this.#asks.peers.get(number)?.stalled ?? false;
  }

  /** Bytes of a block came. */
  heard(number: PeerNumber, block: BlockNumber, now: number): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined) return;
    this.#now = now;
    peer.heard = now;
    peer.stalls = 0;
    if (peer.stalled) {
      peer.stalled = false;
      this.#asks.dirty.add(peer);
    }
    this.#asks.begin(peer, block);
  }

  /** Time passes: who keeps others waiting is found. */
  tick(now: number): void {
    const asleep = now - this.#ticked > ASLEEP_MS;
    const forgets = Math.exp((this.#ticked - now) / PACE_MS);
    this.#ticked = this.#now = now;
    for (const peer of this.#asks.peers.values()) {
      if (asleep) peer.heard = now;
      peer.pace *= forgets;
      const silence = now - peer.heard;
      if (peer.stalled) {
        if (silence > FORGIVE_MS * 2 ** Math.min(peer.stalls, MAX_DOUBLINGS)) this.#forgive(peer);
      } else if (peer.asked.size === 0) {
        if (this.wanting > 0) this.#asks.dirty.add(peer); // something may be slow elsewhere by now
      } else if (silence > this.#patience(peer)) {
        peer.stalled = true;
        peer.stalls++;
        for (const block of peer.asked.keys()) {
          this.#failed.add(block);
          this.#asks.reopen(block);
        }
      }
    }
  }

  /** How long a peer may be silent, in milliseconds. A seeder may hold back what the crowd can spread. */
  #patience(peer: AskedPeer): number {
    if (this.#asks.hasBegunAny(peer)) return STALL_MS;
    return this.#holdings.isSeeder(peer.number) ? SEEDER_MS : PATIENCE_MS;
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
        if (this.#holdings.isSeeder(peer.number)) seeders.push(peer);
        else this.#fill(peer, decisions);
      }
      if (seeders.length > 0) this.#askSeeders(seeders, decisions);
    }
    this.#asks.dirty.clear();
    return decisions;
  }

  #press(): void {
    const most = this.#fellows > 0 ? K.head : Infinity;
    const urgent: BlockNumber[] = [];
    for (const block of this.#awaited) {
      if (urgent.length >= most) break;
      urgent.push(block);
      if (!this.#urgent.includes(block)) this.#asks.soil(block);
    }
    this.#urgent = urgent;
  }

  #fill(peer: AskedPeer, decisions: Decision[]): void {
    const has = this.#holdings.of(peer.number);
    // It does not wait for what can wait.
    for (const block of this.#urgent) if (has.has(block)) this.#askUrgent(peer, block, decisions);
    const most = depth(peer);
    while (peer.asked.size < most) {
      const block = this.#rarest(has);
      if (block === undefined) break;
      this.#ask(peer, block, decisions);
    }
    if (peer.asked.size === 0) this.#steal(peer, has, decisions);
  }

  /** Seeders are asked for everything; where there are several, each for its share. */
  #askSeeders(seeders: AskedPeer[], decisions: Decision[]): void {
    for (const block of this.#urgent) {
      const peer = this.#leastAsked(seeders, block);
      if (peer !== undefined) this.#askUrgent(peer, block, decisions);
    }
    if (this.#asks.free.size > 0) {
      for (const block of this.#asks.free) {
        const peer = this.#leastAsked(seeders, block);
        if (peer !== undefined) this.#ask(peer, block, decisions);
      }
    }
    for (const peer of seeders) {
      if (peer.asked.size === 0) this.#steal(peer, this.#holdings.of(peer.number), decisions);
    }
  }

  /** Of the peers that have a block the one with the least to send; who was asked for it already comes first. */
  #leastAsked(peers: AskedPeer[], block: BlockNumber): AskedPeer | undefined {
    let best: AskedPeer | undefined;
    for (const peer of peers) {
      if (!this.#holdings.has(peer.number, block)) continue;
      if (peer.asked.has(block)) return peer;
      if (best === undefined || peer.asked.size < best.asked.size) best = peer;
    }
    return best;
  }

  /** What somebody waits for is asked now, or, where it was asked before, asked with more weight. */
  #askUrgent(peer: AskedPeer, block: BlockNumber, decisions: Decision[]): void {
    const ask = peer.asked.get(block);
    const level = this.#levelOf(block);
    if (ask !== undefined) {
      if (ask.begun || ask.level === level) return;
      ask.level = level;
      decisions.push({ ask: peer.number, block, level });
    } else if (this.#mayAsk(peer, block)) {
      this.#ask(peer, block, decisions);
    }
  }

  #mayAsk(peer: AskedPeer, block: BlockNumber): boolean {
    return this.#holdings.isSeeder(peer.number)
      ? this.#asks.free.has(block)
      : this.#asks.open.has(block);
  }

  /** The rarest block that it has and that is open. A copy is the least that a peer's own block can have. */
  #rarest(has: Bits): BlockNumber | undefined {
    const { open } = this.#asks;
    if (open.size === 0) return undefined;
    const from = Math.floor(this.#random() * open.words.length * 32);
    return cheapest(has, open, (block) => this.#holdings.copies(block), from, 1);
  }

  /** Takes over half of what is queued at the peer that has most to send, or doubles what is too slow there. */
  #steal(thief: AskedPeer, has: Bits, decisions: Decision[]): void {
    let victim: AskedPeer | undefined;
    let slow: BlockNumber | undefined;
    let late: BlockNumber | undefined;
    const queued: BlockNumber[] = [];
    eachCommon(has, this.#asks.wanted, (block) => {
      const [asked, second] = this.#asks.of(block);
      if (asked === undefined || asked === thief || second !== undefined) return;
      const { begun, at } = asked.asked.get(block)!;
      if (begun) {
        if (this.#now - at >= SLOW_MS) slow = block;
        return;
      }
      queued.push(block);
      if (this.#now - at >= K.late && (late === undefined || at < this.#asks.of(late)[0]!.asked.get(late)!.at)) late = block;
      if (asked.asked.size >= (victim?.asked.size ?? STEAL)) victim = asked;
    });
    if (victim !== undefined) {
      const most = Math.min(QUEUE, Math.ceil(victim.asked.size / 2));
      const takenOver = queued.filter((block) => victim!.asked.has(block)).slice(-most);
      for (const block of takenOver) this.#ask(thief, block, decisions);
    } else if (late !== undefined) {
      this.#ask(thief, late, decisions);
    } else if (slow !== undefined) {
      this.#ask(thief, slow, decisions);
    }
  }

  #ask(peer: AskedPeer, block: BlockNumber, decisions: Decision[]): void {
    for (const other of this.#asks.of(block)) {
      if (this.#asks.hasBegun(other, block)) continue; // it may come first yet
      decisions.push({ cancel: other.number, block });
      this.#asks.remove(other, block);
    }
    const level = this.#levelOf(block);
    this.#asks.add(peer, block, level, this.#now);
    decisions.push({ ask: peer.number, block, level });
  }

  #levelOf(block: BlockNumber): Level {
    if (!this.#urgent.includes(block)) return 0;
    return this.#fellows > 0 && !this.#failed.has(block) ? 1 : 2;
  }
}

// deno-lint-ignore no-explicit-any
const K = { head: 2, depth: 16, pace: 1, late: 1e9, share: 0, ...JSON.parse((globalThis as any).Deno?.env.get("K") ?? "{}") };
const PACE_MS = 1000;
function depth(peer: AskedPeer): number {
  return K.depth + K.pace * peer.pace;
}
