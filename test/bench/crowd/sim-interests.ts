/**
 * What each node of a computed crowd has to look at as soon as it comes, all in one piece of memory: who has what it would ask
 * for at once, and what is asked of it while there is room on its line. All else is looked at when there is something to do.
 */
import type { Bits } from "../../../src/swarm/bits.ts";

export class Interests {
  /** Words of a node: whether it serves at once, and the blocks that it would ask for, a bit each. */
  readonly #words: number;
  #interests: Uint32Array<ArrayBuffer>;

  constructor(nodes: number, blocks: number) {
    this.#words = 1 + ((blocks + 31) >> 5);
    this.#interests = new Uint32Array(nodes * this.#words);
  }

  serves(node: number): boolean {
    return this.#interests[node * this.#words] === 1;
  }

  reads(node: number, block: number): boolean {
    const word = this.#interests[node * this.#words + 1 + (block >> 5)]!;
    return (word >>> (block & 31) & 1) === 1;
  }

  /** @returns whether there is anything that was none of its interests before */
  set(node: number, { words }: Bits, serves: boolean): boolean {
    const first = node * this.#words;
    if (first + this.#words > this.#interests.length) this.#grow();
    const interests = this.#interests;
    let gained = Number(serves) & ~interests[first]!;
    interests[first] = Number(serves);
    for (let i = 1; i < this.#words; i++) {
      const word = words[i - 1] ?? 0;
      gained |= word & ~interests[first + i]!;
      interests[first + i] = word;
    }
    return gained !== 0;
  }

  #grow(): void {
    const grown = new Uint32Array(
      Math.ceil(this.#interests.length * 1.25 / this.#words) * this.#words + this.#words,
    );
    grown.set(this.#interests);
    this.#interests = grown;
  }
}
