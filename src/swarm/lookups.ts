/**
 * Groups that a peer brought up and that have to be looked for on the disk: one after another, and so many a second, so that no
 * peer can make this machine read more than that. Who brings up more has to wait for the answer.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Bucket } from "./bucket.ts";
import type { Theirs } from "./listener.ts";

/** Groups of one peer that are looked for in a second. A reader brings up a few at a time; a file or a folder is one. */
const LOOKUPS_PER_SECOND = 200;

export class Lookups {
  readonly #look: (theirs: Theirs) => Promise<void>;
  /** As many as a peer may have open, at most: what is closed again is taken out. */
  readonly #waiting = new Set<Theirs>();
  readonly #rate = new Bucket(LOOKUPS_PER_SECOND, performance.now());
  readonly #over = new AbortController();
  #looking = false;

  /** @param look is not to throw */
  constructor(look: (theirs: Theirs) => Promise<void>) {
    this.#look = look;
  }

  add(theirs: Theirs): void {
    this.#waiting.add(theirs);
    if (!this.#looking) void this.#run();
  }

  delete(theirs: Theirs): void {
    this.#waiting.delete(theirs);
  }

  stop(): void {
    this.#waiting.clear();
    this.#over.abort();
  }

  async #run(): Promise<void> {
    this.#looking = true;
    for (const theirs of this.#waiting) {
      this.#waiting.delete(theirs);
      const wait = this.#rate.wait(performance.now());
      if (wait > 0) await pause(wait, undefined, { signal: this.#over.signal }).catch(() => {}); // over: nothing waits
      if (this.#over.signal.aborted) break;
      this.#rate.take(1, performance.now());
      await this.#look(theirs);
    }
    this.#looking = false;
  }
}
