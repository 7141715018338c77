/** What somebody waits for, and how much it matters. */
import { Bits } from "./bits.ts";
import type { Level } from "./frame.ts";
import type { BlockNumber } from "./holdings.ts";

/**
 * Of the blocks that are waited for so many are urgent in a crowd, the one that is read next and its follower: readers who all
 * want the same blocks first have less to give to each other. Two hundred readers that wait for 32 blocks each take 1.34 times
 * the least possible time so, and 1.38 times if all 32 are urgent.
 */
export const URGENT_IN_CROWD = 2;

export class Urgency {
  /** In the order of asking. */
  readonly #awaited = new Set<BlockNumber>();
  /** What leads to more: it is small, and all that is below waits for it, so that no crowd is waited for. */
  readonly #leading = new Set<BlockNumber>();
  /** Asked of a peer that stalled: the crowd does not bring it. */
  readonly #failed = new Bits();
  readonly #onUrgent: (block: BlockNumber) => void;
  #urgent: ReadonlySet<BlockNumber> = new Set();
  #fellows = 0;

  /** @param onUrgent called for each block that becomes urgent, or more so */
  constructor(onUrgent: (block: BlockNumber) => void) {
    this.#onUrgent = onUrgent;
  }

  /** What goes before everything else. */
  get urgent(): ReadonlySet<BlockNumber> {
    return this.#urgent;
  }

  /** Somebody waits for a block, or does not any more. */
  await(block: BlockNumber, awaited: boolean): void {
    if (this.#awaited.has(block) === awaited) return;
    if (awaited) this.#awaited.add(block);
    else this.#awaited.delete(block);
    // Who comes last changes nothing where there is room for no more, and who was not chosen yet is not missed.
    if (awaited ? this.#urgent.size < this.#leading.size + this.#most : this.#urgent.has(block)) {
      this.#choose();
    }
  }

  /** A block leads to more. */
  lead(block: BlockNumber): void {
    if (this.#leading.has(block)) return;
    this.#leading.add(block);
    this.#choose();
  }

  forget(block: BlockNumber): void {
    this.#failed.delete(block);
    this.#leading.delete(block);
    this.#awaited.delete(block);
    if (this.#urgent.has(block)) this.#choose();
  }

  /** A peer that reads what we read came, or went. */
  fellows(difference: 1 | -1): void {
    const alone = this.#fellows === 0;
    this.#fellows += difference;
    if (alone !== (this.#fellows === 0)) this.#choose(new Set());
  }

  /** A peer that was asked for it does not send. */
  fail(block: BlockNumber): void {
    if (this.#failed.add(block) && this.#urgent.has(block)) this.#onUrgent(block);
  }

  levelOf(block: BlockNumber): Level {
    if (this.#leading.has(block)) return 2;
    if (!this.#urgent.has(block)) return 0;
    return this.#fellows > 0 && !this.#failed.has(block) ? 1 : 2;
  }

  /** How many of what is waited for are urgent. */
  get #most(): number {
    return this.#fellows > 0 ? URGENT_IN_CROWD : Infinity;
  }

  /** @param before what was as urgent already */
  #choose(before = this.#urgent): void {
    const urgent = new Set(this.#leading);
    for (const block of this.#awaited) {
      if (urgent.size >= this.#leading.size + this.#most) break;
      urgent.add(block);
    }
    this.#urgent = urgent;
    for (const block of urgent) if (!before.has(block)) this.#onUrgent(block);
  }
}
