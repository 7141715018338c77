/** A wait that can be ended from outside: by news, or because all is over. */

/** The longest that a timer can wait, in milliseconds; longer ones would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

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
