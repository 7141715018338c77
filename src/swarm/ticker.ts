/** One timer for all who look at something again and again: many readers wait at once, and each with a timer is felt. */

type Look = () => void;

export class Ticker {
  readonly #every: number;
  readonly #looks = new Set<Look>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param every milliseconds */
  constructor(every: number) {
    this.#every = every;
  }

  /** @returns what ends it */
  add(look: Look): () => void {
    this.#looks.add(look);
    this.#timer ??= setInterval(() => {
      for (const look of [...this.#looks]) look();
    }, this.#every);
    return () => {
      this.#looks.delete(look);
      if (this.#looks.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** Resolves when it is so, at once if it is; rejects with the signal's reason. */
  async until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (isSo()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    const end = this.add(() => {
      if (isSo()) resolve();
    });
    await promise.finally(() => {
      end();
      signal.removeEventListener("abort", stop);
    });
  }
}
