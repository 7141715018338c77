/** Sends what was asked for: as much at once as keeps the line busy, and no more than the cap lets out. */
import type { Bucket } from "./bucket.ts";
import type { BlockNumber, PeerNumber } from "./holdings.ts";
import { MAX_PART } from "./limits.ts";
import type { Upload, Uploads } from "./uploads.ts";
import { Window } from "./window.ts";

/**
 * Data in one frame, in bytes: little on a line that takes long for it, so that both sides know soon what is on its way and
 * nothing urgent waits behind it; on a fast one as much as a frame takes.
 */
const PART = 16 * 1024;
const FAST_PART = MAX_PART;

/** A line that needs so much on it is fast, in bytes. */
const FAST_WINDOW = 1024 * 1024;

export class Pump {
  /** Bytes of blocks that were put on their way since the start. */
  given = 0;
  readonly #uploads: Uploads;
  readonly #cap: Bucket;
  /** Puts a block on its way. @returns its bytes; undefined if it cannot be sent, for which the pump need not know why */
  readonly #send: (upload: Upload) => Promise<number | undefined>;
  readonly #window = new Window();
  #running = false;
  #waiting: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    uploads: Uploads,
    cap: Bucket,
    send: (upload: Upload) => Promise<number | undefined>,
  ) {
    this.#uploads = uploads;
    this.#cap = cap;
    this.#send = send;
  }

  /** A peer has a block; if we sent it, all of it or only a part, the line has room again. */
  acknowledged(peer: PeerNumber, block: BlockNumber, whole: boolean): void {
    const full = this.#uploads.unacknowledged >= this.#window.size;
    const now = performance.now();
    const sent = this.#uploads.acknowledged(peer, block, now, whole);
    if (sent === undefined) return;
    this.#window.acknowledged(sent.bytes, now - sent.at, now, full);
  }

  /** Data in one frame, in bytes. */
  get part(): number {
    return this.#window.size < FAST_WINDOW ? PART : FAST_PART;
  }

  /** To be called whenever there may be something to send, or room for it. */
  run(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    void this.#drain();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#waiting);
  }

  async #drain(): Promise<void> {
    try {
      while (!this.#stopped) {
        const wait = this.#cap.wait(performance.now());
        if (wait > 0) {
          clearTimeout(this.#waiting);
          this.#waiting = setTimeout(() => this.run(), wait);
          return;
        }
        const upload = this.#uploads.next(performance.now(), this.#window.size);
        if (upload === undefined) return;
        const bytes = await this.#send(upload);
        if (bytes !== undefined) {
          this.given += bytes;
          this.#cap.take(bytes, performance.now());
        }
      }
    } finally {
      // At once: what is asked for in the same turn must not be taken for what is being looked at.
      this.#running = false;
    }
  }
}
