/** Tells one tracker, or the DHT, what this node holds: at once when that changes, and again before it is forgotten there. Nobody waits for it. */
import { MAX_ADDRS, MAX_KEYS } from "./announce.ts";
import { createPauses } from "../pause.ts";
import { type Tracker, TrackerError } from "./tracker.ts";

/** Changes within this time go into one announce, in milliseconds. */
const GATHER_MS = 300;

/** Waits after failures, in milliseconds; the last one repeats. */
const RETRY_MS = [2_000, 5_000, 15_000, 60_000, 300_000];

/** How long a node that stops waits for the tracker to hear of it, in milliseconds. */
const FAREWELL_MS = 1_000;

/** What a node has to announce, as tracker keys, the most important first. */
export interface Held {
  /** What it holds whole. */
  seeds: string[];
  /** What it holds parts of. */
  reads: string[];
}

export interface Announcer {
  /** What is held, or where it is, may have changed. */
  changed(): void;
  /** Says goodbye, for as long as that takes no time. */
  stop(): Promise<void>;
}

export function createAnnouncer(
  tracker: Pick<Tracker, "origin" | "announce" | "renew">,
  { held, addrs, given, log, who = `The tracker ${tracker.origin}` }: {
    held(): Held;
    /** Multiaddrs. */
    addrs(): string[];
    /** Bytes given to others since the start. */
    given(): number;
    log: (line: string) => void;
    /** How a sentence about it begins. Default: with the tracker's URL. */
    who?: string;
  },
): Announcer {
  const over = new AbortController();
  const pauses = createPauses(over.signal);
  /** Which no change cuts short. */
  const gathering = createPauses(over.signal);
  let changed = false;
  /** What the tracker knows, and how to renew that. */
  let said: { seeds: Set<string>; reads: Set<string>; addrs: string; token: string } | undefined;
  /** Keys whose refusal was told. */
  const told = new Set<string>();
  let failures = 0;
  const running = run();

  return {
    changed() {
      changed = true;
      pauses.wake();
    },
    async stop() {
      over.abort();
      await running;
      if (said === undefined) return;
      const signal = AbortSignal.timeout(FAREWELL_MS);
      // If it does not hear of it, it forgets this node by itself.
      await tracker.announce({ event: "stopped", given: given() }, { signal }).catch(() =>
        undefined
      );
    },
  };

  async function run(): Promise<void> {
    while (!over.signal.aborted) {
      let wait: number;
      try {
        changed = false;
        wait = await tell();
        if (failures > 0) log(`${who} answers again.`);
        failures = 0;
      } catch (error) {
        if (over.signal.aborted) return;
        if (failures === 0) log(`${capital(error)}. It is tried again; everything else goes on.`);
        const retry = RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]!;
        wait = Math.max(retry, error instanceof TrackerError ? error.retryAfter ?? 0 : 0);
        changed = false; // It will all be told then.
      }
      if (!changed) await pauses.pause(wait);
      if (changed) await gathering.pause(GATHER_MS);
    }
  }

  /** @returns milliseconds until it has to be told again */
  async function tell(): Promise<number> {
    const { signal } = over;
    const now = held();
    const seeds = now.seeds.slice(0, MAX_KEYS);
    const reads = now.reads.slice(0, MAX_KEYS - seeds.length);
    const where = addrs().slice(0, MAX_ADDRS);
    if (said !== undefined && isSaid(seeds, reads, where)) {
      const interval = await tracker.renew(said.token, given(), { signal });
      if (interval !== undefined) return interval * 1000;
      said = undefined; // It has forgotten it, or was started anew.
    }
    if (said === undefined && seeds.length + reads.length === 0) return RETRY_MS.at(-1)!;
    const whole = seeds.filter((key) => said?.reads.has(key));
    const common = { addrs: where, given: given() };
    if (whole.length > 0) {
      await tracker.announce({ ...common, event: "completed", seeds: whole }, { signal });
    }
    const { interval, token, refused } = await tracker.announce(
      { ...common, event: "updated", seeds, reads },
      { signal },
    );
    said = { seeds: new Set(seeds), reads: new Set(reads), addrs: where.join(), token };
    for (const { key, why } of refused) {
      if (told.has(key)) continue;
      told.add(key);
      log(`${who} does not take ${key}: ${why}`);
    }
    return interval * 1000;
  }

  function isSaid(seeds: string[], reads: string[], where: string[]): boolean {
    return said!.addrs === where.join() && isSame(said!.seeds, seeds) && isSame(said!.reads, reads);
  }
}

function isSame(said: Set<string>, keys: string[]): boolean {
  return said.size === keys.length && keys.every((key) => said.has(key));
}

function capital(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
