/**
 * Frames from a stream that arrives in chunks of any size. The data of a block is a view of the chunk in which it lies, or is
 * copied once where it lies in several: to the place that whoever reads the frames has for it.
 */
import type { Frame } from "./frame.ts";
import { MAX_FRAME, WireError } from "./limits.ts";
import { type BlockHeader, parseBlockHeader, parseFrame, typeOf } from "./parse.ts";

/** What stands before the data of a BLOCK, without the length: its type, and four numbers of up to five bytes. */
const MAX_HEADER = 1 + 4 * 5;

/** The numbers in it. */
const HEADER_NUMBERS = 4;

/**
 * Where the data of a BLOCK goes that arrives in several chunks: room for exactly that, or undefined for data that nobody wants,
 * which the frame then comes without. Asked when the rest of the frame is known; what it throws is thrown by the decoder.
 */
export type FindRoom = (header: BlockHeader, dataLength: number) => Uint8Array | undefined;

const NOTHING = new Uint8Array();

/** Turns one side of one stream into frames. It holds no more than the frame that is coming in. */
export class FrameDecoder {
  readonly #findRoom: FindRoom;
  /** The length that is being read, and how many of its bits are known. */
  #length = 0;
  #bits = 0;
  /** The frame that is not yet here as a whole. */
  #partial: PartialFrame | undefined;
  /** Set while a chunk is read, and for good where that was not done to the end. */
  #stuck = false;

  /** @param findRoom default: new room for each */
  constructor(findRoom: FindRoom = (_, dataLength) => new Uint8Array(dataLength)) {
    this.#findRoom = findRoom;
  }

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
        else this.#partial = new PartialFrame(length, this.#findRoom);
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
  readonly #findRoom: FindRoom;
  /** The beginning of a BLOCK, until its data begins. */
  readonly #header: number[] = [];
  #numbers = 0;
  #block: BlockHeader | undefined;
  /** Bytes that have not come yet. */
  #missing: number;
  /** Where they go: the data of a BLOCK, if somebody wants it, or the whole of another frame. */
  #room: Uint8Array | undefined;
  /** That is known. */
  #placed = false;
  #filled = 0;

  constructor(length: number, findRoom: FindRoom) {
    this.#missing = length;
    this.#findRoom = findRoom;
  }

  /** Takes what belongs to it from the chunk, and returns where it stopped. */
  take(chunk: Uint8Array, at: number): number {
    if (this.#placed) return this.#takeRest(chunk, at);
    if (this.#header.length === 0 && typeOf(chunk[at]!) !== "block") {
      this.#room = new Uint8Array(this.#missing);
    } else {
      if (this.#block === undefined) at = this.#takeHeader(chunk, at);
      if (this.#block === undefined) return at;
      const end = at + this.#missing;
      if (end <= chunk.length) {
        this.frame = { ...this.#block, data: chunk.subarray(at, end) };
        return end;
      }
      if (at === chunk.length) return at; // all of it may be in the next one
      this.#room = this.#findRoom(this.#block, this.#missing);
    }
    this.#placed = true;
    return this.#takeRest(chunk, at);
  }

  #takeHeader(chunk: Uint8Array, at: number): number {
    const header = this.#header;
    while (this.#numbers < HEADER_NUMBERS && header.length < MAX_HEADER && this.#missing > 0) {
      if (at === chunk.length) return at;
      const byte = chunk[at++]!;
      header.push(byte);
      this.#missing--;
      if (header.length > 1 && byte < 0x80) this.#numbers++;
    }
    this.#block = parseBlockHeader(Uint8Array.from(header), this.#missing);
    return at;
  }

  #takeRest(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    this.#room?.set(chunk.subarray(at, end), this.#filled);
    this.#filled += end - at;
    this.#missing -= end - at;
    if (this.#missing === 0) this.frame = this.#whole(this.#room ?? NOTHING);
    return end;
  }

  #whole(data: Uint8Array): Frame {
    return this.#block ? { ...this.#block, data } : parseFrame(data, 0, data.length);
  }
}
