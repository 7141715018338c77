/**
 * Frames from a stream that arrives in chunks of any size. The data of a block is a view of the chunk in which it lies, or is
 * copied once where it lies in several.
 */
import type { Frame } from "./frame.ts";
import { MAX_FRAME, WireError } from "./limits.ts";
import { type BlockHeader, parseBlockHeader, parseFrame, typeOf } from "./parse.ts";

/** What stands before the data of a BLOCK, without the length: its type, and four numbers of up to five bytes. */
const MAX_HEADER = 1 + 4 * 5;

/** The numbers in it. */
const HEADER_NUMBERS = 4;

/** Turns one side of one stream into frames. It holds no more than the frame that is coming in. */
export class FrameDecoder {
  /** The length that is being read, and how many of its bits are known. */
  #length = 0;
  #bits = 0;
  /** The frame that is not yet here as a whole. */
  #partial: PartialFrame | undefined;
  /** Set while a chunk is read, and for good where that was not done to the end. */
  #stuck = false;

  /**
   * The frames that end in this chunk, one at a time: those before a wrong one are given before it is refused.
   * Each chunk is to be read to its end before the next one.
   *
   * @throws {WireError} on what the protocol does not allow; the decoder is of no more use then
   */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    this.#begin();
    for (let at = 0; at < chunk.length;) {
      if (this.#partial !== undefined) {
        at = this.#partial.take(chunk, at);
        const { frame } = this.#partial;
        if (frame === undefined) continue;
        this.#partial = undefined;
        yield frame;
      } else if (this.#readLength(chunk[at++]!)) {
        const length = this.#length;
        this.#length = this.#bits = 0;
        if (length <= chunk.length - at) yield parseFrame(chunk, at, at += length);
        else this.#partial = new PartialFrame(length);
      }
    }
    this.#stuck = false;
  }

  /** @throws {WireError} where the stream ended within a frame */
  end(): void {
    this.#begin();
    if (this.#bits > 0 || this.#partial) throw new WireError("a stream that ends within a frame");
  }

  #begin(): void {
    if (this.#stuck) throw new WireError("a stream that is over, or was not read to its end");
    this.#stuck = true;
  }

  /** Takes the next byte of the length, and says whether it is known now. */
  #readLength(byte: number): boolean {
    this.#length |= (byte & 0x7f) << this.#bits;
    this.#bits += 7;
    if (byte >= 0x80) {
      if (this.#bits === 21) throw new WireError("a length of more than three bytes");
      return false;
    }
    if (this.#length === 0) throw new WireError("a frame without a type");
    if (byte === 0) throw new WireError("a length in more bytes than it needs");
    if (this.#length > MAX_FRAME) throw new WireError(`a frame of ${this.#length} bytes`);
    return true;
  }
}

/** A frame that arrives in several chunks. What is wrong with a BLOCK is seen before memory is set aside for its data. */
class PartialFrame {
  /** The frame, once it is complete. */
  frame: Frame | undefined;
  readonly #length: number;
  /** The beginning of a BLOCK, until its data begins. */
  #header: number[] = [];
  #numbers = 0;
  #block: BlockHeader | undefined;
  /** What is copied: the data of a BLOCK, or the whole of another frame. */
  #copy: Uint8Array | undefined;
  #copied = 0;

  constructor(length: number) {
    this.#length = length;
  }

  /** Takes what belongs to it from the chunk, and returns where it stopped. */
  take(chunk: Uint8Array, at: number): number {
    if (this.#copy === undefined && this.#block === undefined) {
      if (this.#header.length === 0 && typeOf(chunk[at]!) !== "block") {
        this.#copy = new Uint8Array(this.#length);
      } else {
        at = this.#takeHeader(chunk, at);
        if (this.#block === undefined) return at;
      }
    }
    return this.#takeRest(chunk, at);
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const header = this.#header;
    const most = Math.min(MAX_HEADER, this.#length);
    while (this.#numbers < HEADER_NUMBERS && header.length < most) {
      if (at === chunk.length) return at;
      const byte = chunk[at++]!;
      header.push(byte);
      if (header.length > 1 && byte < 0x80) this.#numbers++;
    }
    this.#block = parseBlockHeader(Uint8Array.from(header), this.#length - header.length);
    return at;
  }

  #takeRest(chunk: Uint8Array, at: number): number {
    const missing = this.#length - this.#header.length - this.#copied;
    const end = Math.min(chunk.length, at + missing);
    if (this.#copy === undefined) {
      if (end - at === missing) {
        this.frame = { ...this.#block!, data: chunk.subarray(at, end) };
        return end;
      }
      if (end === at) return at;
      this.#copy = new Uint8Array(missing);
    }
    this.#copy.set(chunk.subarray(at, end), this.#copied);
    this.#copied += end - at;
    if (end - at === missing) this.frame = this.#whole(this.#copy);
    return end;
  }

  #whole(copy: Uint8Array): Frame {
    return this.#block ? { ...this.#block, data: copy } : parseFrame(copy, 0, copy.length);
  }
}
