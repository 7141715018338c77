/** Blocks on their way into one stream, in frames that are small enough for others to get in between. */
import type { Stream } from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import { encodeBlockHeader } from "./frame.ts";

/**
 * Data in one frame, in bytes: little on a line that takes long for it, so that both sides know soon what is on its way and
 * nothing urgent waits behind it.
 */
const PART = 16 * 1024;

export interface Outgoing {
  /** The number of the group on this stream. */
  group: number;
  index: number;
  bytes: Uint8Array;
}

export class Outbox {
  readonly #stream: Stream;
  readonly #onError: (error: Error) => void;
  readonly #blocks: (Outgoing & { stopped: boolean })[] = [];
  #writing = false;
  #over = false;
  #wake: (() => void) | undefined;

  constructor(stream: Stream, onError: (error: Error) => void) {
    this.#stream = stream;
    this.#onError = onError;
    // libp2p's own `onDrain` waits but once in a stream's life.
    for (const event of ["drain", "close"] as const) {
      stream.addEventListener(event, () => this.#wake?.());
    }
  }

  /** Sends a block after those before it. */
  push(block: Outgoing): void {
    this.#blocks.push({ ...block, stopped: false });
    if (!this.#writing) void this.#write();
  }

  /** Sends no more of a block; what was sent of it is forgotten by the peer. */
  stop(group: number, index?: number): void {
    for (const block of this.#blocks) {
      if (block.group === group && (index ?? block.index) === block.index) block.stopped = true;
    }
  }

  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
        for (let offset = 0; !block.stopped && !this.#over; offset += PART) {
          if (!this.#send(block, offset)) await new Promise<void>((wake) => this.#wake = wake);
          if (offset + PART >= block.bytes.length) break;
        }
        this.#blocks.shift();
      }
    } catch (error) {
      this.#onError(error as Error);
    } finally {
      this.#writing = false;
    }
  }

  /** @returns whether the stream takes more */
  #send({ group, index, bytes }: Outgoing, offset: number): boolean {
    const data = bytes.subarray(offset, offset + PART);
    const header = encodeBlockHeader(group, index, offset, bytes.length, data.length);
    return this.#stream.send(new Uint8ArrayList(header, data));
  }
}
