/** How often keys were asked for lately. Roughly: where two keys share a cell, each is counted for the other, too. */
import { randomInt } from "node:crypto";
import { createHasher } from "./hash.ts";

/** Cells of a count: several for each of the keys that a busy tracker is asked for in half a second. */
const CELLS = 2 ** 16;

export class Demand {
  readonly #hash = createHasher(randomInt(2 ** 32));
  #lately = new Uint8Array(CELLS);
  #before = new Uint8Array(CELLS);

  /** Counts once more; returns how often it was since the turn before the last. */
  count(key: string): number {
    const cell = this.#hash(key) % CELLS;
    if (this.#lately[cell]! < 255) this.#lately[cell]!++;
    return this.#lately[cell]! + this.#before[cell]!;
  }

  /** Begins anew; what was counted since the last turn still counts until the next. */
  turn(): void {
    [this.#lately, this.#before] = [this.#before.fill(0), this.#lately];
  }
}
