/** Who has which block, as far as they said: what both the reader's and the server's choices are made from. */
import { Bits } from "./bits.ts";
import { Counts } from "./counts.ts";

/** A peer's number; a connection that ends and comes back is another peer. */
export type PeerNumber = number;

/** A block's number: blocks are named by small numbers here, and by CIDs outside. */
export type BlockNumber = number;

interface Holder {
  has: Bits;
  /** What of it the peer said to have when it was met: it costs nothing to say so, and nobody is denied a copy because of it. */
  claimed: Bits;
  /** Had everything from the first moment, or publishes it: such a copy is not one that the crowd made. */
  seeder: boolean;
}

export class Holdings {
  readonly #peers = new Map<PeerNumber, Holder>();
  /** Copies of each block with those who are no seeders, as far as they came while we looked. */
  readonly #copies = new Counts();

  /** What the crowd has a copy of, seeders left out. */
  get spread(): Bits {
    return this.#copies.some;
  }

  get peers(): number {
    return this.#peers.size;
  }

  join(peer: PeerNumber, seeder = false): void {
    this.#peers.set(peer, { has: new Bits(), claimed: new Bits(), seeder });
  }

  leave(peer: PeerNumber): void {
    const holder = this.#peers.get(peer);
    if (holder === undefined) return;
    if (!holder.seeder) { for (const block of seen(holder)) this.#copies.remove(block); }
    this.#peers.delete(peer);
  }

  /** A peer turns out to be one of the seeders, or one of the crowd. */
  setSeeder(peer: PeerNumber, seeder: boolean): void {
    const holder = this.#peers.get(peer);
    if (holder === undefined || holder.seeder === seeder) return;
    holder.seeder = seeder;
    for (const block of seen(holder)) {
      if (seeder) this.#copies.remove(block);
      else this.#copies.add(block);
    }
  }

  isSeeder(peer: PeerNumber): boolean {
    return this.#peers.get(peer)?.seeder ?? false;
  }

  /** What a peer has; empty for one that is not here. */
  of(peer: PeerNumber): Bits {
    return this.#peers.get(peer)?.has ?? NOTHING;
  }

  has(peer: PeerNumber, block: BlockNumber): boolean {
    return this.of(peer).has(block);
  }

  /**
   * A peer has a block.
   *
   * @param claimed whether it said so when it was met, so that nobody saw the block come
   * @returns whether it was news
   */
  add(peer: PeerNumber, block: BlockNumber, claimed = false): boolean {
    const holder = this.#peers.get(peer);
    if (holder === undefined) return false;
    const isNew = holder.has.add(block);
    if (isNew && claimed) holder.claimed.add(block);
    else if ((isNew || !claimed && holder.claimed.delete(block)) && !holder.seeder) {
      this.#copies.add(block);
    }
    return isNew;
  }

  /** @returns whether the peer had it */
  delete(peer: PeerNumber, block: BlockNumber): boolean {
    const holder = this.#peers.get(peer);
    if (holder === undefined || !holder.has.delete(block)) return false;
    if (!holder.claimed.delete(block) && !holder.seeder) this.#copies.remove(block);
    return true;
  }

  /** How many copies of a block the crowd has, seeders left out. */
  copies(block: BlockNumber): number {
    return this.#copies.of(block);
  }

  /** Forgets a block, whose number may then be given to another. */
  forget(block: BlockNumber): void {
    for (const peer of this.#peers.keys()) this.delete(peer, block);
  }
}

function* seen({ has, claimed }: Holder): Generator<BlockNumber> {
  for (const block of has) if (!claimed.has(block)) yield block;
}

const NOTHING = new Bits();
