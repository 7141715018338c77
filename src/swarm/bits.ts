/** A set of small whole numbers, a bit each: a crowd's holdings are compared 32 blocks at a time. */
export class Bits {
  /**
   * Bit `i % 32` of word `i >> 5` tells whether `i` is in the set. Words are signed: the engine keeps such numbers in the array
   * itself, while a typed array of a few words is mostly wrapping, which lies elsewhere.
   */
  readonly words: number[] = [];
  #size = 0;

  constructor(capacity = 0) {
    this.#grow((capacity + 31) >> 5);
  }

  get size(): number {
    return this.#size;
  }

  has(i: number): boolean {
    const at = i >> 5;
    return at < this.words.length && (this.words[at]! >>> (i & 31) & 1) === 1;
  }

  /** @returns whether it was new */
  add(i: number): boolean {
    const at = i >> 5;
    if (at >= this.words.length) this.#grow(Math.max(at + 1, this.words.length * 2, 2));
    const word = this.words[at]!;
    const bit = 1 << (i & 31);
    if ((word & bit) !== 0) return false;
    this.words[at] = word | bit;
    this.#size++;
    return true;
  }

  /** @returns whether it was there */
  delete(i: number): boolean {
    const at = i >> 5;
    if (!this.has(i)) return false;
    this.words[at] = this.words[at]! & ~(1 << (i & 31));
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let at = 0; at < this.words.length; at++) {
      for (let word = this.words[at]!; word !== 0; word &= word - 1) {
        yield (at << 5) + lowest(word);
      }
    }
  }

  #grow(words: number): void {
    while (this.words.length < words) this.words.push(0);
  }
}

/** The place of the lowest bit of a word that has one. */
export function lowest(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Whether anything is a member of both sets. */
export function haveCommon(a: Bits, b: Bits): boolean {
  const words = Math.min(a.words.length, b.words.length);
  for (let at = 0; at < words; at++) if ((a.words[at]! & b.words[at]!) !== 0) return true;
  return false;
}

/** Visits the members of both sets. */
export function eachCommon(a: Bits, b: Bits, visit: (i: number) => void): void {
  const words = Math.min(a.words.length, b.words.length);
  for (let at = 0; at < words; at++) {
    for (let both = a.words[at]! & b.words[at]!; both !== 0; both &= both - 1) {
      visit((at << 5) + lowest(both));
    }
  }
}

/**
 * Visits members of both sets from some number on, and goes around, until `visit` says that it has seen enough: who begins at a
 * random number sees a sample, and many who choose from the same sets choose differently.
 */
export function someCommon(
  a: Bits,
  b: Bits,
  from: number,
  visit: (i: number) => boolean,
): void {
  const words = Math.min(a.words.length, b.words.length);
  if (words === 0) return;
  const first = (from >> 5) % words;
  const after = -1 << (from & 31); // the bits of the first word at `from` and after it
  for (let k = 0; k <= words; k++) {
    const at = first + k < words ? first + k : first + k - words;
    let both = a.words[at]! & b.words[at]!;
    if (k === 0) both &= after;
    else if (k === words) both &= ~after;
    for (; both !== 0; both &= both - 1) if (visit((at << 5) + lowest(both))) return;
  }
}

/**
 * The member of both sets with the least cost, of as many as are looked at; among equals the first.
 *
 * @param from the number to begin at; the search goes around
 * @param enough a cost that nothing is below: the search ends at the first member that has it
 * @param most how many are looked at
 */
export function cheapest(
  a: Bits,
  b: Bits,
  cost: (i: number) => number,
  { from, enough, most }: { from: number; enough: number; most: number },
): number | undefined {
  let best: number | undefined;
  let least = Infinity;
  let seen = 0;
  someCommon(a, b, from, (i) => {
    const price = cost(i);
    if (price < least) {
      best = i;
      least = price;
    }
    return least <= enough || ++seen >= most;
  });
  return best;
}

/** A member of the first set that is in neither of the others: the first one from some number on, going around. */
export function outside(a: Bits, b: Bits, c: Bits, from: number): number | undefined {
  const words = a.words.length;
  if (words === 0) return undefined;
  const first = (from >> 5) % words;
  const after = -1 << (from & 31);
  for (let k = 0; k <= words; k++) {
    const at = first + k < words ? first + k : first + k - words;
    let left = a.words[at]! & ~b.words[at]! & ~c.words[at]!; // beyond the end: undefined, and so 0
    if (k === 0) left &= after;
    else if (k === words) left &= ~after;
    if (left !== 0) return (at << 5) + lowest(left);
  }
  return undefined;
}
