/** A cap on bytes per second, as a bucket of tokens: what goes beyond it is paid back by waiting. Pure: time is given to it. */

/** What may go at once after a pause, in milliseconds of the rate: little, so that the cap holds over short times too. */
const BURST_MS = 100;

/**
 * How much too late somebody who had to wait may come back and still have it all, in milliseconds: a machine that is busy with
 * something else is late for every wait, and would stay below the cap for good. Who comes later has rested. Ten seconds that begin
 * right after such a wait have this much too many: 3 %, and with what is on its way the cap still holds within 5 %.
 */
const LATE_MS = 300;

export class Bucket {
  readonly #rate: number;
  #tokens: number;
  #at: number;
  /** When somebody who was told to wait should be back. */
  #due = -Infinity;

  /** @param rate bytes per second; Infinity for no cap */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#tokens = rate * BURST_MS / 1000;
    this.#at = now;
  }

  /** Takes bytes that have gone, or are about to go whole. */
  take(bytes: number, now: number): void {
    if (this.#rate === Infinity) return;
    this.#fill(now);
    this.#tokens -= bytes;
  }

  /** How long to wait until more may go, in milliseconds; 0 for not at all. */
  wait(now: number): number {
    if (this.#rate === Infinity) return 0;
    this.#fill(now);
    if (this.#tokens > 0) return 0;
    const ms = Math.ceil((1 - this.#tokens) / this.#rate * 1000);
    this.#due = now + ms;
    return ms;
  }

  #fill(now: number): void {
    const ms = now - this.#due > LATE_MS ? BURST_MS : LATE_MS;
    const most = this.#rate * ms / 1000;
    this.#tokens = Math.min(
      Math.max(most, this.#tokens),
      this.#tokens + (now - this.#at) / 1000 * this.#rate,
    );
    this.#at = now;
  }
}
