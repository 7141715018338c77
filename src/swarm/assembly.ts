/**
 * Encrypted messages put together from what a socket reads, each in one array. noise would do that itself, but then it decrypts
 * every read of a message by itself, and copies all of them once more for nothing.
 *
 * A message stands after its length, which is two bytes, big-endian (Noise over libp2p, "Wire format").
 */
import { Uint8ArrayList } from "uint8arraylist";

const LENGTH_BYTES = 2;

export class Assembly {
  /** The message of which a part is here, and how much that is. */
  #message: Uint8Array | undefined;
  #filled = 0;
  /** The first byte of a length, where the second has not come yet. */
  #first: number | undefined;

  /** Takes what was read. @returns the messages that are whole now, with their lengths */
  take(data: Uint8Array | Uint8ArrayList): Uint8ArrayList {
    const whole = new Uint8ArrayList();
    for (const chunk of data instanceof Uint8Array ? [data] : data) {
      for (let at = 0; at < chunk.length;) {
        at = this.#isBetween ? this.#pass(chunk, at, whole) : this.#fill(chunk, at, whole);
      }
    }
    return whole;
  }

  /** Gives up what is here of a message. */
  release(): Uint8Array {
    const held = this.#first === undefined
      ? (this.#message ?? new Uint8Array()).subarray(0, this.#filled)
      : Uint8Array.of(this.#first);
    this.#message = this.#first = undefined;
    this.#filled = 0;
    return held;
  }

  get #isBetween(): boolean {
    return this.#message === undefined && this.#first === undefined;
  }

  /** Passes on the messages that lie in the chunk as they are, and begins the one that does not end in it. */
  #pass(chunk: Uint8Array, start: number, whole: Uint8ArrayList): number {
    let end = start;
    for (let next = endOf(chunk, end); next <= chunk.length; next = endOf(chunk, end)) end = next;
    if (end > start) whole.append(chunk.subarray(start, end));
    if (end === chunk.length) return end;
    if (end + 1 === chunk.length) {
      this.#first = chunk[end]!;
      return chunk.length;
    }
    this.#message = new Uint8Array(endOf(chunk, end) - end);
    return this.#fill(chunk, end, whole);
  }

  #fill(chunk: Uint8Array, start: number, whole: Uint8ArrayList): number {
    if (this.#first !== undefined) {
      this.#message = new Uint8Array(LENGTH_BYTES + (this.#first << 8 | chunk[start]!));
      this.#message[0] = this.#first;
      this.#filled = 1;
      this.#first = undefined;
    }
    const message = this.#message!;
    const end = Math.min(chunk.length, start + message.length - this.#filled);
    message.set(chunk.subarray(start, end), this.#filled);
    this.#filled += end - start;
    if (this.#filled === message.length) {
      whole.append(message);
      this.release();
    }
    return end;
  }
}

/** Where a message ends that begins here; Infinity where its length is not known. */
function endOf(chunk: Uint8Array, start: number): number {
  if (chunk.length - start < LENGTH_BYTES) return Infinity;
  return start + LENGTH_BYTES + (chunk[start]! << 8 | chunk[start + 1]!);
}
