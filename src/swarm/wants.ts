/** Who wants which block here: readers that wait for it, and reads that will come to it. */
import type { BlockNumber } from "./holdings.ts";

interface Want {
  waiting: PromiseWithResolvers<void>[];
  /** How many reads will come to it. */
  expected: number;
}

export class Wants {
  readonly #wants = new Map<BlockNumber, Want>();

  has(block: BlockNumber): boolean {
    return this.#wants.has(block);
  }

  /** Whether somebody waits, as against will come to it. */
  isUrgent(block: BlockNumber): boolean {
    return (this.#wants.get(block)?.waiting.length ?? 0) > 0;
  }

  /** @returns what to call when the read will not come to it. By then the block may have come, and its number be another's. */
  expect(block: BlockNumber): () => void {
    const want = this.#want(block);
    want.expected++;
    return () => {
      want.expected--;
      this.#tidy(block, want);
    };
  }

  wait(block: BlockNumber): PromiseWithResolvers<void> {
    const waiting = Promise.withResolvers<void>();
    this.#want(block).waiting.push(waiting);
    return waiting;
  }

  leave(block: BlockNumber, who: PromiseWithResolvers<void>): void {
    const want = this.#wants.get(block);
    if (want === undefined) return;
    want.waiting = want.waiting.filter((waiting) => waiting !== who);
    this.#tidy(block, want);
  }

  /** The block is here, in the store: to hand it to promises that have waited for long would keep it in memory for longer. */
  satisfy(block: BlockNumber): void {
    const want = this.#wants.get(block);
    this.#wants.delete(block);
    for (const { resolve } of want?.waiting ?? []) resolve();
  }

  /** It cannot be had, or cannot be kept: who waits for it is told, and nobody wants it any more. */
  fail(block: BlockNumber, why: unknown): void {
    const want = this.#wants.get(block);
    this.#wants.delete(block);
    for (const { reject } of want?.waiting ?? []) reject(why);
  }

  #want(block: BlockNumber): Want {
    let want = this.#wants.get(block);
    if (want === undefined) this.#wants.set(block, want = { waiting: [], expected: 0 });
    return want;
  }

  #tidy(block: BlockNumber, want: Want): void {
    if (this.#wants.get(block) !== want) return;
    if (want.waiting.length === 0 && want.expected === 0) this.#wants.delete(block);
  }
}
