/** Blocks on their way into one stream, in frames that are small enough for others to get in between. */
import type { Stream } from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import { encodeBlockHeader } from "./frame.ts";

export interface Outgoing {
  /** The number of the group on this stream. */
  group: number;
  index: number;
  bytes: Uint8Array;
  /** Data in one frame, in bytes. */
  part: number;
}

export class Outbox {
  readonly #stream: Stream;
  readonly #onError: (error: Error) => void;
  readonly #blocks: (Outgoing & { begun: boolean; stopped: boolean })[] = [];
  #writing = false;
  #over = false;
  #wake: (() => void) | undefined;
  /** When something left, or began to wait. */
  #moved = 0;

  constructor(stream: Stream, onError: (error: Error) => void) {
    this.#stream = stream;
    this.#onError = onError;
    // libp2p's own `onDrain` waits but once in a stream's life.
    for (const event of ["drain", "close"] as const) {
      stream.addEventListener(event, () => this.#wake?.());
    }
  }

  /** For how long nothing has left of what waits, in milliseconds. */
  stillFor(now: number): number {
    return this.#blocks.length === 0 ? 0 : now - this.#moved;
  }

  /** Sends a block after those before it; one that waits already only once. */
  push(block: Outgoing): void {
    const { group, index } = block;
    if (this.#blocks.some((b) => !b.stopped && b.group === group && b.index === index)) return;
    if (this.#blocks.length === 0) this.#moved = performance.now();
    this.#blocks.push({ ...block, begun: false, stopped: false });
    if (!this.#writing) void this.#write();
  }

  /** Sends no more of a block; what was sent of it is forgotten by the peer. @returns whether one was stopped of which nothing was sent */
  stop(group: number, index?: number): boolean {
    let untouched = false;
    for (const block of this.#blocks) {
      if (block.group !== group || (index ?? block.index) !== block.index) continue;
      if (!block.stopped && !block.begun) untouched = true;
      block.stopped = true;
    }
    return untouched;
  }

  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
        for (let offset = 0; !block.stopped && !this.#over; offset += block.part) {
          block.begun = true;
          if (!this.#send(block, offset)) await new Promise<void>((wake) => this.#wake = wake);
          this.#moved = performance.now();
          if (offset + block.part >= block.bytes.length) break;
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
  #send({ group, index, bytes, part }: Outgoing, offset: number): boolean {
    const data = bytes.subarray(offset, offset + part);
    const header = encodeBlockHeader(group, index, offset, bytes.length, data.length);
    return this.#stream.send(new Uint8ArrayList(header, data));
  }
}
