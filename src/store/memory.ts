/** A bounded tier of recently read blocks, least recently used first out; its size is counted in bytes. */
export class MemoryTier {
  readonly #limit: number;
  readonly #blocks = new Map<string, Uint8Array>();
  #bytes = 0;

  /** @param limit most bytes held at once; 0 turns the tier off */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes held now; never above the limit. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const block = this.#blocks.get(key);
    if (block !== undefined) {
      // A Map keeps insertion order: moving the entry to its end is all the bookkeeping an LRU needs.
      this.#blocks.delete(key);
      this.#blocks.set(key, block);
    }
    return block;
  }

  set(key: string, block: Uint8Array): void {
    this.delete(key);
    if (block.byteLength > this.#limit) return;
    this.#blocks.set(key, block);
    this.#bytes += block.byteLength;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#blocks.delete(key);
    this.#bytes -= block.byteLength;
  }
}
