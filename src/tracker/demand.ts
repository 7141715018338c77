/** How often keys were asked for lately. Roughly: where two keys share a cell, each is counted for the other, too. */

/** Cells of a count, a power of two: several for each of the keys that a busy tracker is asked for in half a second. */
const CELLS = 2 ** 16;

/** The last characters of a key, which say enough: they are of a hash, and this is done for every look-up. */
const CHARACTERS = 6;

export class Demand {
  #lately = new Uint8Array(CELLS);
  #before = new Uint8Array(CELLS);

  /** Counts once more; returns how often it was since the turn before the last. */
  count(key: string): number {
    let cell = 0;
    for (let i = key.length - CHARACTERS; i < key.length; i++) {
      cell = Math.imul(cell, 31) + key.charCodeAt(i);
    }
    cell &= CELLS - 1;
    if (this.#lately[cell]! < 255) this.#lately[cell]!++;
    return this.#lately[cell]! + this.#before[cell]!;
  }

  /** Begins anew; what was counted since the last turn still counts until the next. */
  turn(): void {
    [this.#lately, this.#before] = [this.#before.fill(0), this.#lately];
  }
}
