/** Who has which block, as far as they said: what both the reader's and the server's choices are made from. */
import { Bits } from "./bits.ts";
import { Counts } from "./counts.ts";

/** A peer's number; a connection that ends and comes back is another peer. */
export type PeerNumber = number;

/** A block's number: blocks are named by small numbers here, and by CIDs outside. */
export type BlockNumber = number;

/** What is thought of a peer, by which what it has counts as copies or does not. */
type Judgement = Pick<Holder, "believed" | "seeder">;

/** What is known of a peer, for as long as it is here: who looks at it again and again keeps it. */
export interface Holder {
  readonly has: Bits;
  /** Has given us what it said to have, and so is believed to have the rest. */
  believed: boolean;
  /** Had everything from the first moment, or publishes it: such a copy is not one that the crowd made. */
  seeder: boolean;
}

export class Holdings {
  readonly #peers = new Map<PeerNumber, Holder>();
  /**
   * Copies of each block with those who are no seeders, as far as there is more to them than words. It costs nothing to say that
   * one has everything: were it counted, a liar would make all blocks look common, and whoever is to spread them would not.
   */
  readonly #copies = new Counts();
  /** What we gave to somebody to whom it came: from there others may have it, and whoever says so is believed. */
  readonly #given = new Bits();

  /** What the crowd has a copy of, seeders left out. */
  get spread(): Bits {
    return this.#copies.some;
  }

  get peers(): number {
    return this.#peers.size;
  }

  join(peer: PeerNumber, seeder = false): void {
    this.#peers.set(peer, { has: new Bits(), believed: false, seeder });
  }

  leave(peer: PeerNumber): void {
    const holder = this.#peers.get(peer);
    if (holder === undefined) return;
    this.#judge(holder, { believed: false, seeder: true });
    this.#peers.delete(peer);
  }

  /** A peer turns out to be one of the seeders, or one of the crowd. */
  setSeeder(peer: PeerNumber, seeder: boolean): void {
    const holder = this.#peers.get(peer);
    if (holder !== undefined) this.#judge(holder, { believed: holder.believed, seeder });
  }

  /** A peer has given us a block that it said to have; or it gives nothing any more. */
  believe(peer: PeerNumber, believed: boolean): void {
    const holder = this.#peers.get(peer);
    if (holder !== undefined) this.#judge(holder, { believed, seeder: holder.seeder });
  }

  isBelieved(peer: PeerNumber): boolean {
    return this.holder(peer).believed;
  }

  /** A block that we gave to somebody has come to it. */
  gave(block: BlockNumber): void {
    if (!this.#given.add(block)) return;
    for (const { has, believed, seeder } of this.#peers.values()) {
      if (!believed && !seeder && has.has(block)) this.#copies.add(block);
    }
  }

  isSeeder(peer: PeerNumber): boolean {
    return this.holder(peer).seeder;
  }

  /** Nobody with nothing for a peer that is not here. */
  holder(peer: PeerNumber): Readonly<Holder> {
    return this.#peers.get(peer) ?? NOBODY;
  }

  /** What a peer has; empty for one that is not here. */
  of(peer: PeerNumber): Bits {
    return this.holder(peer).has;
  }

  has(peer: PeerNumber, block: BlockNumber): boolean {
    return this.of(peer).has(block);
  }

  /** A peer has a block. @returns whether it was news */
  add(peer: PeerNumber, block: BlockNumber): boolean {
    const holder = this.#peers.get(peer);
    if (holder === undefined || !holder.has.add(block)) return false;
    if (this.#isCopy(holder, block)) this.#copies.add(block);
    return true;
  }

  /** @returns whether the peer had it */
  delete(peer: PeerNumber, block: BlockNumber): boolean {
    const holder = this.#peers.get(peer);
    if (holder === undefined || !holder.has.delete(block)) return false;
    if (this.#isCopy(holder, block)) this.#copies.remove(block);
    return true;
  }

  /** How many copies of a block the crowd has, seeders left out. */
  copies(block: BlockNumber): number {
    return this.#copies.of(block);
  }

  /** Forgets a block, whose number may then be given to another. */
  forget(block: BlockNumber): void {
    for (const peer of this.#peers.keys()) this.delete(peer, block);
    this.#given.delete(block);
  }

  #isCopy({ believed, seeder }: Judgement, block: BlockNumber): boolean {
    return !seeder && (believed || this.#given.has(block));
  }

  #judge(holder: Holder, { believed, seeder }: Judgement): void {
    if (holder.believed === believed && holder.seeder === seeder) return;
    for (const block of holder.has) {
      const counted = this.#isCopy(holder, block);
      if (counted === this.#isCopy({ believed, seeder }, block)) continue;
      if (counted) this.#copies.remove(block);
      else this.#copies.add(block);
    }
    holder.believed = believed;
    holder.seeder = seeder;
  }
}

const NOBODY: Readonly<Holder> = { has: new Bits(), believed: false, seeder: false };
