/** How long to wait after a failure: a little longer each time. Pure. */

/** In milliseconds; the last one repeats. */
const WAITS_MS = [1_000, 2_000, 5_000, 15_000, 60_000];

export function createBackoff(waits: readonly number[] = WAITS_MS) {
  let failures = 0;
  return {
    /** @returns how long to wait now, in milliseconds */
    failed: (): number => waits[Math.min(failures++, waits.length - 1)]!,
    worked(): void {
      failures = 0;
    },
  };
}
