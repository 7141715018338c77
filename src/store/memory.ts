/**
 * A bounded tier of what is asked for often; its size is counted in bytes. The least recently used goes first, but only for what
 * has been asked for more often: else one film, read from end to end, would push out all the pages of a site, and itself.
 * (TinyLFU, Einziger, Friedman and Manes 2017, with a Map in place of the sketch.)
 */

/** A tier is no larger unless somebody wants it so, in bytes: a site's hot pages, and what many watch just now. */
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;

/** The machine has other things to do: this part of its memory is enough. */
const MEMORY_PART = 1 / 32;

/** How many times what is held must be asked for, on average, until all counts are halved: what was popular once fades. */
const FADING = 4;

/** The same for a tier that holds little. */
const MIN_ASKED = 1_000;

interface Held<V> {
  value: V;
  bytes: number;
  /**
   * Asked for since it came, or since it was spared. It is moved to the end of the line only when room is needed (the CLOCK
   * algorithm): a Map that is changed with each read leaves its old tables behind, 30 MB of them within seconds.
   */
  again: boolean;
}

export class MemoryTier<V = Uint8Array> {
  readonly #limit: number;
  readonly #weigh: (value: V, key: string) => number;
  readonly #held = new Map<string, Held<V>>();
  /** How often each key was asked for lately, held or not. */
  #asked = new Map<string, number>();
  #asks = 0;
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

  /** Whether it is held; no asking for it. */
  has(key: string): boolean {
    return this.#held.has(key);
  }

  get(key: string): V | undefined {
    this.#count(key);
    const held = this.#held.get(key);
    if (held === undefined) return undefined;
    held.again = true;
    return held.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const bytes = this.#weigh(value, key);
    if (bytes > this.#limit) return;
    const out: string[] = [];
    let free = this.#limit - this.#bytes;
    // A Map keeps insertion order, and comes once more to what is moved to its end meanwhile.
    for (const [oldest, held] of this.#held) {
      if (free >= bytes) break;
      if (held.again) {
        held.again = false;
        this.#held.delete(oldest);
        this.#held.set(oldest, held);
        continue;
      }
      if (this.#popularity(oldest) >= this.#popularity(key)) return;
      out.push(oldest);
      free += held.bytes;
    }
    out.forEach((oldest) => this.delete(oldest));
    this.#held.set(key, { value, bytes, again: false });
    this.#bytes += bytes;
  }

  delete(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    this.#held.delete(key);
    this.#bytes -= held.bytes;
  }
  #popularity(key: string): number {
    return this.#asked.get(key) ?? 0;
  }

  #count(key: string): void {
    this.#asked.set(key, this.#popularity(key) + 1);
    if (++this.#asks < FADING * this.#held.size + MIN_ASKED) return;
    this.#asks = 0;
    const halved = [...this.#asked].map(([key, times]) => [key, times >> 1] as const);
    this.#asked = new Map(halved.filter(([, times]) => times > 0));
  }
}

/** Bytes that a node's tier of blocks has unless somebody says otherwise, on a machine with so many in all. */
export function usualMemory(machine: number): number {
  return Math.min(MAX_MEMORY_BYTES, machine * MEMORY_PART);
}
