/** The blocks that came last: who waited for one takes it from here, whatever is worth to be remembered for longer. */

/** They are taken as soon as they are here; several may come at once. */
const MOST = 4;

/** A block that is larger than this part of the memory tier is not held. */
const LARGEST_PART = 1 / 32;

/**
 * In places that are filled again, and not in a Map: its old tables would hold what was deleted, and so keep it from being freed
 * with what is new.
 */
export class Newest {
  readonly #largest: number;
  readonly #places: ({ key: string; block: Uint8Array } | undefined)[] = Array(MOST).fill(
    undefined,
  );
  #next = 0;

  /** @param memory how large the memory tier is, in bytes */
  constructor(memory: number) {
    this.#largest = memory * LARGEST_PART;
  }

  get(key: string): Uint8Array | undefined {
    return this.#places.find((place) => place?.key === key)?.block;
  }

  set(key: string, block: Uint8Array): void {
    this.delete(key);
    if (block.byteLength > this.#largest) return;
    this.#places[this.#next++ % MOST] = { key, block };
  }

  delete(key: string): void {
    const index = this.#places.findIndex((place) => place?.key === key);
    if (index >= 0) this.#places[index] = undefined;
  }
}
