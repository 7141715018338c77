/**
 * Many small writes as one: each is done at once, and its caller told when all of its batch is on disk. What is told has
 * survived the end of the process (the write-ahead log is with the system by then), though not yet a power failure.
 */
import type { DatabaseSync } from "node:sqlite";

/** How long a batch gathers, in milliseconds, where one has just been written; the first after a silence is written at once. */
const BATCH_MS = 1;

export class Commits {
  readonly #db: DatabaseSync;
  readonly #explain: (error: unknown) => unknown;
  #parts: (() => void)[] = [];
  #written = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writtenAt = 0;

  /** @param explain makes of an error what is thrown. Default: the error itself */
  constructor(db: DatabaseSync, explain: (error: unknown) => unknown = (error) => error) {
    this.#db = db;
    this.#explain = explain;
  }

  /** Does the work with the rest of its batch; its result is given when that is written. If one part fails, all of it does. */
  async write<T>(work: () => T): Promise<T> {
    let result: T | undefined;
    this.#parts.push(() => result = work());
    if (this.#timer === undefined) {
      const quiet = performance.now() - this.#writtenAt > BATCH_MS;
      this.#timer = setTimeout(() => this.flush(), quiet ? 0 : BATCH_MS);
    }
    await this.#written.promise;
    return result as T;
  }

  /** Writes what there is, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#parts.length === 0) return;
    const [parts, { resolve, reject }] = [this.#parts, this.#written];
    this.#parts = [];
    this.#written = Promise.withResolvers();
    try {
      this.#db.exec("BEGIN");
      for (const part of parts) part();
      this.#db.exec("COMMIT");
      this.#writtenAt = performance.now();
      resolve();
    } catch (error) {
      // SQLite may have rolled back already, as it does on a full disk.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      reject(this.#explain(error));
    }
  }
}
