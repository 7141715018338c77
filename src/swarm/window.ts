/**
 * How much may be on the line and not acknowledged: enough to keep it busy, and no more, so that what is sent next is chosen as
 * late as can be and nothing else on the line is kept waiting. Grows while acknowledgements come about as soon as they did on
 * the empty line, shrinks when they come late. Source: the idea of LEDBAT (RFC 6817), with acknowledgements of whole blocks.
 */

/** The least: the block that is being sent, and the next. */
const MIN_BLOCKS = 2;

/** The same while no block's size is known, in bytes. */
const MIN_BYTES = 128 * 1024;

const MAX_BYTES = 16 * 1024 * 1024;

/** How much longer than on the empty line an acknowledgement may take, in milliseconds. */
const TARGET_MS = 200;

/** For how long a fast acknowledgement is the measure, in milliseconds: routes change. */
const MEMORY_MS = 20_000;

export class Window {
  /** Bytes. */
  size: number = MIN_BYTES;
  /** The fastest acknowledgement of this and of the last while. */
  #least = Infinity;
  #before = Infinity;
  #since = -Infinity;
  #shrunk = -Infinity;

  /**
   * @param took milliseconds from the sending of a block to its acknowledgement
   * @param full whether the window was what held us back
   */
  acknowledged(bytes: number, took: number, now: number, full: boolean): void {
    if (now - this.#since > MEMORY_MS) {
      this.#before = this.#least;
      this.#least = Infinity;
      this.#since = now;
    }
    this.#least = Math.min(this.#least, took);
    const late = took - Math.min(this.#least, this.#before);
    if (late < TARGET_MS) {
      if (full) this.size = Math.min(MAX_BYTES, this.size + bytes * (1 - late / TARGET_MS));
    } else if (now - this.#shrunk > took) {
      this.size *= 0.8;
      this.#shrunk = now;
    }
    this.size = Math.max(this.size, MIN_BYTES, MIN_BLOCKS * bytes);
  }
}
