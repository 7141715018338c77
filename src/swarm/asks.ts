/** What was asked of whom and has not come: the scheduler's book. */
import type { BlockNumber, PeerNumber } from "./holdings.ts";
import type { Level } from "./frame.ts";

export interface Ask {
  level: Level;
  at: number;
  /** Its first bytes have come. */
  begun: boolean;
}

export interface AskedPeer {
  readonly number: PeerNumber;
  /** In the order of asking. */
  readonly asked: Map<BlockNumber, Ask>;
  /** Reads as we do, so that what it lacks will come to it. */
  fellow: boolean;
  /** When it last sent something, or was asked after it had nothing to do. */
  heard: number;
  stalled: boolean;
  /** How often it stalled since it last sent something. */
  stalls: number;
}

export class Asks {
  readonly peers: Map<PeerNumber, AskedPeer> = new Map();
  readonly #askers = new Map<BlockNumber, AskedPeer[]>();

  join(number: PeerNumber, now: number): void {
    const asked = new Map<BlockNumber, Ask>();
    const peer = { number, asked, fellow: false, heard: now, stalled: false, stalls: 0 };
    this.peers.set(number, peer);
  }

  /** Whom a block was asked of. */
  of(block: BlockNumber): readonly AskedPeer[] {
    return this.#askers.get(block) ?? NOBODY;
  }

  add(peer: AskedPeer, block: BlockNumber, level: Level, now: number): void {
    if (peer.asked.size === 0) peer.heard = now;
    peer.asked.set(block, { level, at: now, begun: false });
    this.#askers.set(block, [...this.of(block), peer]);
  }

  /** @returns whether it was asked */
  remove(peer: AskedPeer, block: BlockNumber): boolean {
    if (!peer.asked.delete(block)) return false;
    const left = this.of(block).filter((other) => other !== peer);
    if (left.length > 0) this.#askers.set(block, left);
    else this.#askers.delete(block);
    return true;
  }

  hasBegun(peer: AskedPeer, block: BlockNumber): boolean {
    return peer.asked.get(block)?.begun ?? false;
  }

  hasBegunAny(peer: AskedPeer): boolean {
    for (const { begun } of peer.asked.values()) if (begun) return true;
    return false;
  }
}

const NOBODY: readonly AskedPeer[] = [];
