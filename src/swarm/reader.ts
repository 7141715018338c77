/** Reads the numbers and bytes of one frame. One reader serves many frames, so that a small frame costs no object of its own. */
import { WireError } from "./limits.ts";

export class Reader {
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;

  /** Turns to these bytes; the reader for chaining. */
  read(bytes: Uint8Array, start: number, end: number): this {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    if (this.#at === this.#end) throw new WireError("a frame that ends too early");
    return this.#bytes[this.#at++]!;
  }

  /** An unsigned varint of up to 31 bits, in as few bytes as it can be. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      if (byte === 0 && shift > 0) throw new WireError("a number in more bytes than it needs");
      if (shift === 28 && byte > 7) throw new WireError("a number of more than 31 bits");
      return value;
    }
    throw new WireError("a number of more than five bytes");
  }

  /** The next bytes, as a view. */
  take(length: number): Uint8Array {
    if (length > this.left) throw new WireError("a frame that ends too early");
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  /** What is left, as a view. */
  rest(): Uint8Array {
    return this.take(this.left);
  }
}
