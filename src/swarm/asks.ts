/**
 * The scheduler's book: what is wanted, what was asked of whom, and what may be asked of somebody else. A block is
 * - *free* if it was asked of nobody, or only of peers that stalled: seeders may be asked for it;
 * - *open* if it is free, or asked of nobody but seeders that have not begun to send it: the crowd may be asked for it;
 * - *single* if it was asked of one peer: another one may take it over.
 */
import { Bits } from "./bits.ts";
import type { BlockNumber, Holder, Holdings, PeerNumber } from "./holdings.ts";
import type { Level } from "./frame.ts";

export interface Ask {
  readonly peer: AskedPeer;
  level: Level;
  at: number;
  /** When its first bytes came, if they did. */
  begun: number | undefined;
}

export interface AskedPeer {
  readonly number: PeerNumber;
  readonly holder: Readonly<Holder>;
  /** In the order of asking. */
  readonly asked: Map<BlockNumber, Ask>;
  /** What it would not give when it was asked, and when that was. */
  readonly refused: Map<BlockNumber, number>;
  /** Reads as we do, so that what it lacks will come to it. */
  fellow: boolean;
  /** When it last sent something, or was asked after it had nothing to do. */
  heard: number;
  stalled: boolean;
  /** How often it stalled since it last sent something. */
  stalls: number;
}

/** The weight of the latest block in what is usual. */
const SMOOTHING = 0.1;

export class Asks {
  readonly peers: Map<PeerNumber, AskedPeer> = new Map();
  readonly wanted: Bits = new Bits();
  readonly free: Bits = new Bits();
  readonly open: Bits = new Bits();
  readonly single: Bits = new Bits();
  /** Peers for whom there may be something to decide. */
  readonly dirty: Set<AskedPeer> = new Set();
  readonly #holdings: Holdings;
  /** How long a block takes from its first bytes to its last, in milliseconds. */
  usual = 500;
  /** How many blocks came. */
  #came = 0;
  /** By the block; blocks are small numbers. */
  readonly #asks: (readonly Ask[] | undefined)[] = [];
  /** How many refusals are remembered, of all peers. */
  #refusals = 0;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  get refusals(): number {
    return this.#refusals;
  }

  /** The holdings know the peer already. */
  join(number: PeerNumber, now: number): void {
    const holder = this.#holdings.holder(number);
    const asked = new Map<BlockNumber, Ask>();
    const refused = new Map<BlockNumber, number>();
    const rest = { fellow: false, heard: now, stalled: false, stalls: 0 };
    this.peers.set(number, { number, holder, asked, refused, ...rest });
  }

  /** What was asked of it can be asked of others. */
  leave(peer: AskedPeer): void {
    this.peers.delete(peer.number);
    for (const block of [...peer.asked.keys()]) this.remove(peer, block);
    this.#refusals -= peer.refused.size;
    this.dirty.delete(peer);
  }

  /** @returns whether it was not wanted before */
  want(block: BlockNumber): boolean {
    if (!this.wanted.add(block)) return false;
    this.free.add(block);
    this.open.add(block);
    this.soil(block);
    return true;
  }

  /** Nobody wants it any more. @returns whom it was asked of */
  drop(block: BlockNumber, now: number): readonly Ask[] {
    this.wanted.delete(block);
    this.free.delete(block);
    this.open.delete(block);
    this.single.delete(block);
    const asks = this.of(block);
    this.#asks[block] = undefined;
    for (const { peer, begun } of asks) {
      if (begun !== undefined) this.#learn(now - begun);
      peer.asked.delete(block);
      this.dirty.add(peer);
    }
    return asks;
  }

  /** Of whom a block was asked, and when. */
  of(block: BlockNumber): readonly Ask[] {
    return this.#asks[block] ?? NONE;
  }

  add(peer: AskedPeer, block: BlockNumber, level: Level, now: number): void {
    if (peer.asked.size === 0) peer.heard = now;
    const ask = { peer, level, at: now, begun: undefined };
    peer.asked.set(block, ask);
    this.#setAsks(block, [...this.of(block), ask]);
    this.free.delete(block);
    if (!peer.holder.seeder) this.open.delete(block);
  }

  /** It would not give what it was asked for. */
  refuse(peer: AskedPeer, block: BlockNumber, now: number): void {
    if (!peer.refused.has(block)) this.#refusals++;
    peer.refused.set(block, now);
    this.remove(peer, block);
  }

  refuses({ refused }: AskedPeer, block: BlockNumber): boolean {
    return this.#refusals > 0 && refused.has(block);
  }

  /** What it refused may be asked of it again: a while has passed, or it says that it has it. */
  relent(peer: AskedPeer, block: BlockNumber): void {
    if (!peer.refused.delete(block)) return;
    this.#refusals--;
    if (this.wanted.has(block)) this.dirty.add(peer);
  }

  /** What was asked for as if nobody else had it is only waited for, where it may be. @returns what was asked of whom */
  *calm(may: (block: BlockNumber) => boolean): Generator<[PeerNumber, BlockNumber]> {
    for (const { number, asked } of this.peers.values()) {
      for (const [block, ask] of asked) {
        if (ask.level < 2 || ask.begun !== undefined || !may(block)) continue;
        ask.level = 1;
        yield [number, block];
      }
    }
  }

  /** It is not asked of a peer any more. */
  remove(peer: AskedPeer, block: BlockNumber): void {
    if (this.take(peer, block) && this.wanted.has(block)) this.reopen(block);
  }

  /** The same where somebody else is asked at once. @returns whether it was asked of the peer */
  take(peer: AskedPeer, block: BlockNumber): boolean {
    if (!peer.asked.delete(block)) return false;
    this.dirty.add(peer);
    this.#setAsks(block, this.of(block).filter((ask) => ask.peer !== peer));
    return true;
  }

  begin(peer: AskedPeer, block: BlockNumber, now: number): void {
    const ask = peer.asked.get(block);
    if (ask === undefined || ask.begun !== undefined) return;
    ask.begun = now;
    this.open.delete(block);
  }

  /** Lets others be asked for a block, as far as those who were asked leave room. */
  reopen(block: BlockNumber): void {
    const asks = this.of(block);
    const waits = ({ peer: { stalled, holder }, begun }: Ask) =>
      stalled || holder.seeder && begun === undefined;
    if (!asks.every(waits)) return;
    this.open.add(block);
    if (asks.every(({ peer }) => peer.stalled)) this.free.add(block);
    this.soil(block);
  }

  /** What was asked of a peer that stalled is its own again: it sends. */
  recover(peer: AskedPeer): void {
    peer.stalled = false;
    this.dirty.add(peer);
    for (const [block, { begun }] of peer.asked) {
      this.free.delete(block);
      if (begun !== undefined || !peer.holder.seeder) this.open.delete(block);
    }
  }

  /** There may be something to decide for all who have a block. */
  soil(block: BlockNumber): void {
    for (const peer of this.peers.values()) {
      if (peer.holder.has.has(block)) this.dirty.add(peer);
    }
  }

  #learn(took: number): void {
    this.usual += (took - this.usual) * Math.max(SMOOTHING, 1 / ++this.#came);
  }

  #setAsks(block: BlockNumber, asks: readonly Ask[]): void {
    this.#asks[block] = asks.length > 0 ? asks : undefined;
    if (asks.length === 1) this.single.add(block);
    else this.single.delete(block);
  }
}

const NONE: readonly Ask[] = [];
