/** Keeps a publisher's records from growing old: as long as a node runs, it signs them again, at once and then now and then. */
import { setTimeout as pause } from "node:timers/promises";

/** How often the records are looked at, in milliseconds; few of those times is one old enough to be signed again. */
const INTERVAL_MS = 60 * 60 * 1000;

export interface Republisher {
  /** Waits for a signature that is being made. */
  stop(): Promise<void>;
}

export function createRepublisher(
  renew: (options: { signal: AbortSignal }) => Promise<void>,
  { interval = INTERVAL_MS, log }: { interval?: number; log: (line: string) => void },
): Republisher {
  const over = new AbortController();
  const { signal } = over;
  const running = run();
  return {
    async stop() {
      over.abort();
      await running;
    },
  };

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await renew({ signal });
      } catch (error) {
        // A full disk may have room again in an hour; until then the old record is valid for weeks.
        if (!signal.aborted) log(`The IPNS records could not be signed again: ${error}`);
      }
      // Only stopping ends the wait early.
      await pause(interval, undefined, { signal }).catch(() => undefined);
    }
  }
}
