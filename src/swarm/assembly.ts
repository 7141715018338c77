/**
 * Encrypted messages put together from what a socket reads, each in one array. noise does that itself, but it decrypts every read
 * of a message by itself, and that a read has no more of them it learns from an error that is made each time.
 *
 * A message stands after its length, which is two bytes, big-endian (Noise over libp2p, "Wire format").
 */
import type { Uint8ArrayList } from "uint8arraylist";

const MAX_MESSAGE = 65_535;

/**
 * Messages from here on, in bytes, are all put together in the same place: new memory is zeroed, and not in the processor's
 * cache. Smaller ones have their own, since noise decrypts those where they are.
 */
const LARGE = 16 * 1024;

export class Assembly {
  /** The first byte of a length, where the second has not come yet. */
  #first: number | undefined;
  /** The length of the message that is coming in. */
  #length: number | undefined;
  /** What is here of it, where it did not come in one piece, and how much that is. */
  #message: Uint8Array | undefined;
  #filled = 0;
  #large: Uint8Array | undefined;

  /**
   * The messages that end in what was read, without their lengths; empty ones, which say nothing, are left out. Each is to be
   * used before the next is asked for.
   */
  *decode(data: Uint8Array | Uint8ArrayList): Generator<Uint8Array> {
    for (const chunk of data instanceof Uint8Array ? [data] : data) {
      for (let at = 0; at < chunk.length;) {
        if (this.#length === undefined) {
          this.#readLength(chunk[at++]!);
          continue;
        }
        const missing = this.#length - this.#filled;
        // A plain view: Node's Buffer makes views of its own kind, which takes longer.
        const part = new Uint8Array(
          chunk.buffer,
          chunk.byteOffset + at,
          Math.min(missing, chunk.length - at),
        );
        at += part.length;
        const message = part.length === this.#length ? part : this.#fill(part, this.#length);
        if (part.length < missing) continue;
        this.#length = this.#message = undefined;
        this.#filled = 0;
        if (message.length > 0) yield message;
      }
    }
  }

  #readLength(byte: number): void {
    if (this.#first === undefined) this.#first = byte;
    else {
      this.#length = this.#first << 8 | byte;
      this.#first = undefined;
    }
  }

  #fill(part: Uint8Array, length: number): Uint8Array {
    this.#message ??= this.#placeFor(length);
    this.#message.set(part, this.#filled);
    this.#filled += part.length;
    return this.#message;
  }

  #placeFor(length: number): Uint8Array {
    if (length < LARGE) return new Uint8Array(length);
    return (this.#large ??= new Uint8Array(MAX_MESSAGE)).subarray(0, length);
  }
}
