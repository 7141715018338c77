/** How fast something comes, and when it will have come, as it is told while it does. */

/** The time over which a rate is taken, in milliseconds: long enough to be steady, short enough to be true now. */
const WINDOW_MS = 10_000;

/** Less time than this makes no rate, in milliseconds. */
const MIN_MS = 500;

export interface Pace {
  /** Bytes a second; undefined until there is something to measure. */
  rate: number | undefined;
  /** Undefined where nobody can say. */
  secondsLeft: number | undefined;
}

/** @returns what to call with how much has come and how much is left, whenever that is told */
export function createPace(clock: () => number = Date.now) {
  const samples: { at: number; bytes: number }[] = [{ at: clock(), bytes: 0 }];
  return (bytes: number, left: number | undefined): Pace => {
    const now = clock();
    samples.push({ at: now, bytes });
    while (samples.length > 2 && now - samples[1]!.at > WINDOW_MS) samples.shift();
    const first = samples[0]!;
    const ms = now - first.at;
    if (ms < MIN_MS) return { rate: undefined, secondsLeft: undefined };
    const rate = Math.round((bytes - first.bytes) * 1000 / ms);
    const secondsLeft = left === undefined || rate === 0 ? undefined : Math.ceil(left / rate);
    return { rate, secondsLeft };
  };
}

/** A time for people: `45 s`, `12 min`, `3 h`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
