/** What came last, up to so many bytes: who waited for it takes it from here, whatever is worth to be remembered for longer. */
export class Newest {
  readonly #limit: number;
  readonly #held = new Map<string, Uint8Array>();
  #bytes = 0;

  /** @param limit most bytes held at once */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): Uint8Array | undefined {
    return this.#held.get(key);
  }

  set(key: string, value: Uint8Array): void {
    this.delete(key);
    this.#held.set(key, value);
    this.#bytes += value.byteLength;
    // A Map keeps insertion order.
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.#held.get(key);
    if (value === undefined) return;
    this.#held.delete(key);
    this.#bytes -= value.byteLength;
  }
}
