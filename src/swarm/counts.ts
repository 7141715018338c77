/** How often each of many small whole numbers occurs, and which do at all. */
import { Bits } from "./bits.ts";

export class Counts {
  /** Those that occur. */
  readonly some: Bits = new Bits();
  #counts = new Uint16Array(64);

  of(i: number): number {
    return this.#counts[i] ?? 0;
  }

  add(i: number): void {
    if (i >= this.#counts.length) this.#grow(i + 1);
    if (this.#counts[i]!++ === 0) this.some.add(i);
  }

  remove(i: number): void {
    if (--this.#counts[i]! === 0) this.some.delete(i);
  }

  #grow(size: number): void {
    const grown = new Uint16Array(Math.max(size, this.#counts.length * 2));
    grown.set(this.#counts);
    this.#counts = grown;
  }
}
