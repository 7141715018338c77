/** Waits: one that can be ended from outside, by news or because all is over; and one for the turn of all others. */
import { setImmediate as others } from "node:timers/promises";

/** The longest that a timer can wait, in milliseconds; longer ones would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** How long one work keeps the process to itself, in milliseconds. */
const SLICE_MS = 5;

export interface Pauses {
  /** Waits so many milliseconds, until {@link Pauses.wake}, or until all is over: whoever waits looks which. */
  pause(ms: number): Promise<void>;
  /** Ends the pause under way, if there is one. */
  wake(): void;
}

/** @param signal when all is over */
export function createPauses(signal: AbortSignal): Pauses {
  let end = () => {};
  return {
    wake: () => end(),
    pause(ms) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        end = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", end);
          resolve();
        };
        const timer = setTimeout(end, Math.min(ms, LONGEST_MS));
        signal.addEventListener("abort", end);
      });
    },
  };
}

/**
 * For work that asks the system for one file after the other and waits for each answer, which takes a third of the time that
 * promises take: called between two files, it lets all others have their turn when it is time for that.
 *
 * @returns undefined where it is not: only a promise is to be awaited, so that what is short is done in one go. It rejects with
 * the reason of the signal
 */
export function createSlices(signal?: AbortSignal): () => Promise<void> | undefined {
  let until = performance.now() + SLICE_MS;
  return () => performance.now() > until ? turn() : undefined;

  async function turn(): Promise<void> {
    await others();
    signal?.throwIfAborted();
    until = performance.now() + SLICE_MS;
  }
}
