/** How often a peer was sent a block: again if it got lost or was cancelled, but not as often as it likes. Pure: time is given to it. */
import type { BlockNumber } from "./holdings.ts";

/** How often a block is sent for the asking: once, and again for a line that stalls or a CANCEL that crossed it. */
const MAX_GIVEN = 3;

/** When one sending is forgotten, in milliseconds: a line that is bad for long gets the block in the end. */
const FORGOTTEN_MS = 2_000;

/** Blocks that are remembered. */
const MAX_BLOCKS = 65_536;

export class Gifts {
  readonly #blocks = new Map<BlockNumber, { times: number; at: number }>();

  give(block: BlockNumber, now: number): void {
    const times = this.#times(block, now) + 1;
    this.#blocks.delete(block);
    this.#blocks.set(block, { times, at: now });
    if (this.#blocks.size > MAX_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value!);
  }

  /** The block was not sent after all. */
  takeBack(block: BlockNumber): void {
    const gift = this.#blocks.get(block);
    if (gift !== undefined) gift.times--;
  }

  /** Whether it was given often enough for now. */
  isEnough(block: BlockNumber, now: number): boolean {
    return this.#times(block, now) >= MAX_GIVEN;
  }

  forget(block: BlockNumber): void {
    this.#blocks.delete(block);
  }

  #times(block: BlockNumber, now: number): number {
    const gift = this.#blocks.get(block);
    return gift === undefined
      ? 0
      : Math.max(0, gift.times - Math.floor((now - gift.at) / FORGOTTEN_MS));
  }
}
