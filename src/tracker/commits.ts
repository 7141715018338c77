/**
 * Many small writes as one: each is done at once, and its caller told when all of its batch is on disk. What is told has
 * survived the end of the process (the write-ahead log is with the system by then), though not yet a power failure.
 */
import type { DatabaseSync } from "node:sqlite";

/** How long a batch gathers, in milliseconds, where one has just been written; the first after a silence is written at once. */
const BATCH_MS = 2;

export class Commits {
  readonly #db: DatabaseSync;
  #waiting: PromiseWithResolvers<void>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writtenAt = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Does the work as a part of the batch; its result is given when that is written. If one part fails, all of it does. */
  async write<T>(work: () => T): Promise<T> {
    if (this.#timer === undefined) {
      this.#db.exec("BEGIN");
      const quiet = performance.now() - this.#writtenAt > BATCH_MS;
      this.#timer = setTimeout(() => this.flush(), quiet ? 0 : BATCH_MS);
    }
    let result: T;
    const written = Promise.withResolvers<void>();
    this.#waiting.push(written);
    try {
      result = work();
    } catch (error) {
      this.#end(error);
      return await written.promise as T;
    }
    await written.promise;
    return result;
  }

  /** Writes what there is, now. */
  flush(): void {
    if (this.#timer !== undefined) this.#end();
  }

  #end(failure?: unknown): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      if (failure !== undefined) throw failure;
      this.#db.exec("COMMIT");
      this.#writtenAt = performance.now();
    } catch (error) {
      // SQLite may have rolled back already, as it does on a full disk.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      for (const { reject } of waiting) reject(error);
      return;
    }
    for (const { resolve } of waiting) resolve();
  }
}
