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
  readonly #asks = new Asks();
  readonly #wanted = new Bits();
  /** Wanted, and asked of nobody. */
  readonly #free = new Bits();
  /** Wanted, and asked of nobody but seeders, which have not begun to send it. */
  readonly #open = new Bits();
  /** Asked of a peer that stalled: the crowd does not bring it. */
  readonly #failed = new Bits();
  /** What somebody waits for, in the order of asking. */
  readonly #urgent = new Set<BlockNumber>();
  /** Peers for whom there may be something to decide. */
  readonly #dirty = new Set<AskedPeer>();
  /** Decided, and not told yet. */
  #pending: Decision[] = [];
  #fellows = 0;
  #now = 0;
  #ticked = 0;

  /** @param random a number from 0 up to 1 */
  constructor(holdings: Holdings, random: () => number) {
    this.#holdings = holdings;
    this.#random = random;
  }

  /** How many blocks are wanted that are not here. */
  get wanting(): number {
    return this.#wanted.size;
  }

  join(number: PeerNumber): void {
    this.#asks.join(number, this.#now);
  }

  leave(number: PeerNumber): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined) return;
    this.fellow(number, false);
    this.#asks.peers.delete(number);
    for (const block of [...peer.asked.keys()]) this.#unask(peer, block);
    this.#dirty.delete(peer);
  }

  /** A peer reads what we read, or no longer does. */
  fellow(number: PeerNumber, reads: boolean): void {
    const peer = this.#asks.peers.get(number);
    if (peer === undefined || peer.fellow === reads) return;
    peer.fellow = reads;
    this.#fellows += reads ? 1 : -1;
  }

  /** A peer got a block; the holdings know it already. */
  offered(number: PeerNumber, block: BlockNumber): void {
    if (!this.#wanted.has(block)) return;
    const peer = this.#asks.peers.get(number);
    if (peer !== undefined) this.#dirty.add(peer);
  }

  /** Asks for a block, or asks for it again with another urgency. */
  want(block: BlockNumber, urgent: boolean): void {
    if (urgent) this.#urgent.add(block);
    else this.#urgent.delete(block);
    if (this.#wanted.add(block)) {
      this.#free.add(block);
      this.#open.add(block);
    } else if (!urgent) {
      return;
    }
    for (const peer of this.#asks.peers.values()) {
      if (this.#holdings.has(peer.number, block)) this.#dirty.add(peer);
    }
  }

  /** It is here, or nobody wants it any more. @returns what to tell whom in the second case: to have it says as much */
  settle(block: BlockNumber): Decision[] {
    const told: Decision[] = [];
    this.#wanted.delete(block);
    for (const peer of this.#asks.of(block)) {
      told.push({ cancel: peer.number, block });
      this.#unask(peer, block);
    }
    this.#free.delete(block);
    this.#open.delete(block);
    this.#urgent.delete(block);
    this.#failed.delete(block);
    return told;
  }

  /** A peer has not got what it was asked for, or would not give it. */
  refused(number: PeerNumber, block: BlockNumber): void {
    const peer = this.#asks.peers.get(number);
    if (peer !== undefined) this.#unask(peer, block);
  }

  /** Whether it kept us waiting, and has sent nothing since, even if it was asked anew. */
  isStalled(number: PeerNumber): boolean {
    return (this.#asks.peers.get(number)?.stalls ?? 0) > 0;
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
      this.#dirty.add(peer);
    }
    const ask = peer.asked.get(block);
    if (ask === undefined || ask.begun) return;
    ask.begun = true;
    this.#open.delete(block);
  }

  /** Time passes: who keeps others waiting is found. */
  tick(now: number): void {
    const asleep = now - this.#ticked > ASLEEP_MS;
    this.#ticked = this.#now = now;
    for (const peer of this.#asks.peers.values()) {
      if (asleep) peer.heard = now;
      const silence = now - peer.heard;
      if (peer.stalled) {
        if (silence > FORGIVE_MS * 2 ** Math.min(peer.stalls, MAX_DOUBLINGS)) this.#forgive(peer);
      } else if (peer.asked.size > 0 && silence > this.#patience(peer)) {
        peer.stalled = true;
        peer.stalls++;
        for (const block of peer.asked.keys()) {
          this.#failed.add(block);
          this.#reopen(block);
        }
      }
    }
    if (this.#wanted.size > 0) {
      for (const peer of this.#asks.peers.values()) {
        this.#dirty.add(peer);
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
      this.#unask(peer, block);
    }
  }

  /** What to tell whom, after what has happened. */
  decide(now: number): Decision[] {
    this.#now = now;
    const decisions = this.#pending;
    this.#pending = [];
    if (this.#wanted.size > 0) {
      // The crowd chooses before the seeders do.
      const seeders: AskedPeer[] = [];
      for (const peer of this.#dirty) {
        if (peer.stalled) continue;
        if (this.#holdings.isSeeder(peer.number)) seeders.push(peer);
        else this.#fill(peer, decisions);
      }
      this.#askSeeders(seeders, decisions);
    }
    this.#dirty.clear();
    return decisions;
  }

  #fill(peer: AskedPeer, decisions: Decision[]): void {
    const has = this.#holdings.of(peer.number);
    // It does not wait for what can wait.
    for (const block of this.#urgent) if (has.has(block)) this.#askUrgent(peer, block, decisions);
    while (peer.asked.size < QUEUE) {
      const block = this.#rarest(has, this.#open);
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
    for (const block of this.#free) {
      const peer = this.#leastAsked(seeders, block);
      if (peer !== undefined) this.#ask(peer, block, decisions);
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
    return this.#holdings.isSeeder(peer.number) ? this.#free.has(block) : this.#open.has(block);
  }

  /** The rarest block of both sets. A copy is the least that a peer's own block can have. */
  #rarest(has: Bits, among: Bits): BlockNumber | undefined {
    const from = Math.floor(this.#random() * among.words.length * 32);
    return cheapest(has, among, (block) => this.#holdings.copies(block), from, 1);
  }

  /** Takes over half of what is queued at the peer that has most to send, or doubles what is too slow there. */
  #steal(thief: AskedPeer, has: Bits, decisions: Decision[]): void {
    let victim: AskedPeer | undefined;
    let slow: BlockNumber | undefined;
    const queued: BlockNumber[] = [];
    eachCommon(has, this.#wanted, (block) => {
      const [asked, second] = this.#asks.of(block);
      if (asked === undefined || asked === thief || second !== undefined) return;
      const { begun, at } = asked.asked.get(block)!;
      if (begun) {
        if (this.#now - at >= SLOW_MS) slow = block;
        return;
      }
      queued.push(block);
      if (asked.asked.size >= (victim?.asked.size ?? STEAL)) victim = asked;
    });
    if (victim !== undefined) {
      const most = Math.min(QUEUE, Math.ceil(victim.asked.size / 2));
      const takenOver = queued.filter((block) => victim!.asked.has(block)).slice(-most);
      for (const block of takenOver) this.#ask(thief, block, decisions);
    } else if (slow !== undefined) {
      this.#ask(thief, slow, decisions);
    }
  }

  #ask(peer: AskedPeer, block: BlockNumber, decisions: Decision[]): void {
    for (const other of this.#asks.of(block)) {
      if (this.#asks.hasBegun(other, block)) continue; // it may come first yet
      decisions.push({ cancel: other.number, block });
      this.#unask(other, block);
    }
    const level = this.#levelOf(block);
    this.#asks.add(peer, block, level, this.#now);
    this.#free.delete(block);
    if (!this.#holdings.isSeeder(peer.number)) this.#open.delete(block);
    decisions.push({ ask: peer.number, block, level });
  }

  #unask(peer: AskedPeer, block: BlockNumber): void {
    if (!this.#asks.remove(peer, block)) return;
    this.#dirty.add(peer);
    if (this.#wanted.has(block)) this.#reopen(block);
  }

  /** Lets others be asked for a block, as far as those who were asked leave room. */
  #reopen(block: BlockNumber): void {
    const askers = this.#asks.of(block);
    if (askers.every((peer) => peer.stalled)) this.#free.add(block);
    if (
      askers.every((peer) =>
        peer.stalled || this.#holdings.isSeeder(peer.number) && !this.#asks.hasBegun(peer, block)
      )
    ) {
      this.#open.add(block);
    } else {
      return;
    }
    for (const peer of this.#asks.peers.values()) {
      if (this.#holdings.has(peer.number, block)) this.#dirty.add(peer);
    }
  }

  #levelOf(block: BlockNumber): Level {
    if (!this.#urgent.has(block)) return 0;
    return this.#fellows > 0 && !this.#failed.has(block) ? 1 : 2;
  }
}
