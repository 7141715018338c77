/** A bounded tier of what was used recently, least recently used first out; its size is counted in bytes. */
export class MemoryTier<V = Uint8Array> {
  readonly #limit: number;
  readonly #weigh: (value: V, key: string) => number;
  readonly #held = new Map<string, { value: V; bytes: number }>();
  #bytes = 0;

  /**
   * @param limit most bytes held at once; 0 turns the tier off
   * @param weigh how many bytes of memory a value takes; asked once, when it comes
   */
  constructor(limit: number, weigh: (value: V, key: string) => number) {
    this.#limit = limit;
    this.#weigh = weigh;
  }

  /** Bytes held now; never above the limit. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    // A Map keeps insertion order: moving the entry to its end is all the bookkeeping an LRU needs.
    this.#held.delete(key);
    this.#held.set(key, held);
    return held.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const bytes = this.#weigh(value, key);
    if (bytes > this.#limit) return;
    this.#held.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#bytes -= held.bytes;
  }
}
