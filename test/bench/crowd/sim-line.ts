/** The line up of a node in a computed crowd: it carries one block after the other. */

/** A router's queue, in milliseconds: what is sent meanwhile waits behind it. */
const QUEUE_MS = 100;

/** The first frame of a block, by which it is known that it comes, in bytes. */
const PART = 16 * 1024;

/** How often it is noticed that more of a block came, in milliseconds. */
const HEARD_MS = 500;

/** TCP, IP, noise, yamux and frames around a block, as a multiple of it. */
const FRAMING = 1.06;

interface Flight {
  to: number;
  block: number;
  /** Nobody waits for it any more: it is not sent, unless it has begun to be. */
  stopped: boolean;
}

export class LineUp {
  /** Bytes that it carried, framing included. */
  sent = 0;
  /** Handed to the line and not carried yet; the first one is under way. */
  readonly #flights: Flight[] = [];
  /** Bytes a millisecond. */
  readonly #rate: number;
  /** When it will have carried the block that is under way. */
  #free = 0;
  /** How long one takes, in milliseconds. */
  #takes = 0;

  /** @param rate bits per second */
  constructor(rate: number) {
    this.#rate = rate / 8000;
  }

  /** Bytes of a block on the line. */
  static size(block: number): number {
    return block * FRAMING;
  }

  get first(): Flight | undefined {
    return this.#flights[0];
  }

  /** For how many milliseconds it will yet be busy. */
  queued(now: number): number {
    const behind = Math.max(0, this.#flights.length - 1);
    return Math.max(0, this.#free - now) + behind * this.#takes;
  }

  /** How long a short message waits, in milliseconds. */
  wait(now: number): number {
    return Math.min(QUEUE_MS, this.queued(now));
  }

  /** @returns whether nothing is before it */
  push(to: number, block: number): boolean {
    return this.#flights.push({ to, block, stopped: false }) === 1;
  }

  /** Begins to carry the first one. @returns when it will have been carried */
  send(now: number, bytes: number): number {
    this.#takes = LineUp.size(bytes) / this.#rate;
    return this.#free = now + this.#takes;
  }

  /**
   * When of a block that is sent now a part is through that is heard of, in milliseconds from now: the first, and of the
   * further ones as many as tell a slow block from a stalled one.
   */
  *parts(bytes: number): Generator<number> {
    const first = Math.min(LineUp.size(bytes), PART) / this.#rate;
    for (let at = first; at < this.#takes; at += HEARD_MS) yield at;
  }

  /** The first one was carried. The next one that somebody waits for is the first now. */
  take(): Flight {
    const flight = this.#flights.shift()!;
    this.sent += this.#takes * this.#rate;
    while (this.#flights[0]?.stopped) this.#flights.shift();
    return flight;
  }

  /** A block would come too late, or all that goes to somebody. */
  stop(to: number, block?: number): void {
    for (const flight of this.#flights) {
      if (flight.to === to && (block ?? flight.block) === flight.block) flight.stopped = true;
    }
  }
}
