/**
 * Keeps records known beyond this node: those of ours are told to whoever follows them, and those of ours and of the sites that
 * are followed are handed to their trackers, at each change and now and then. So a site outlives its publisher.
 */
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import type { Push } from "./push.ts";
import type { Tracker } from "./tracker.ts";

/** How often a tracker is handed a record again, in milliseconds: it forgets in a day or two. */
const AGAIN_MS = 4 * 60 * 60 * 1000;

/** How long a tracker may take for it, in milliseconds, and how soon it is tried again where it failed. */
const PUT_MS = 10_000, RETRY_MS = 60_000;

/** Changes within this time are handed on together, in milliseconds: the last of them counts. */
const GATHER_MS = 100;

export interface Herald {
  /** A record of ours was signed. */
  signed(key: CID, record: Uint8Array): void;
  /** From now on the record of this key is kept known; told again, it has changed. */
  keep(key: CID): void;
  drop(key: CID): void;
  stop(): Promise<void>;
}

interface Kept {
  key: CID;
  /** By the trackers' origins: what they were handed, and when they are to be handed it again. */
  told: Map<string, { record: Uint8Array; due: number }>;
}

export function createHerald(
  { push, trackers, record, log, again = AGAIN_MS }: {
    push: Pick<Push, "publish" | "subscribe" | "unsubscribe">;
    /** Trackers that may hear of a key, and the DHT. */
    trackers(key: CID): Pick<Tracker, "origin" | "putRecord">[];
    /** The record in force, if it is valid. */
    record(key: CID): Uint8Array | undefined;
    log: (line: string) => void;
    again?: number;
  },
): Herald {
  const over = new AbortController();
  const kept = new Map<string, Kept>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = Infinity;
  let running: Promise<void> = Promise.resolve();
  const sending = new Set<Promise<void>>();

  return {
    signed(key, bytes) {
      if (over.signal.aborted) return;
      push.subscribe(key);
      const work: Promise<void> = push.publish(key, bytes).then(
        () => undefined,
        (error) => log(`A new record could not be told to those who follow: ${error}`),
      ).finally(() => sending.delete(work));
      sending.add(work);
      hand(key);
    },
    keep: hand,
    drop: (key) => void kept.delete(key.toString(base36)),
    async stop() {
      over.abort();
      clearTimeout(timer);
      await Promise.all([running, ...sending]);
    },
  };

  function hand(key: CID): void {
    const name = key.toString(base36);
    if (!kept.has(name)) kept.set(name, { key, told: new Map() });
    schedule(GATHER_MS);
  }

  function schedule(ms: number): void {
    const at = Date.now() + ms;
    if (over.signal.aborted || at >= due) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(() => {
      due = Infinity;
      running = running.then(putAll);
    }, ms);
  }

  async function putAll(): Promise<void> {
    for (const { key, told } of [...kept.values()]) {
      const bytes = record(key);
      if (bytes === undefined) continue;
      await Promise.all(trackers(key).map((tracker) => put(tracker, key, bytes, told)));
    }
    // Also where no tracker is known yet: one may be by then.
    schedule(RETRY_MS);
  }

  async function put(
    tracker: Pick<Tracker, "origin" | "putRecord">,
    key: CID,
    bytes: Uint8Array,
    told: Kept["told"],
  ): Promise<void> {
    const before = told.get(tracker.origin);
    if (over.signal.aborted || before && before.due > Date.now() && isSame(before.record, bytes)) {
      return;
    }
    try {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(PUT_MS)]);
      await tracker.putRecord(key, bytes, { signal });
      told.set(tracker.origin, { record: bytes, due: Date.now() + again });
    } catch {
      // The announcer tells when a tracker is away; one that takes no records is a directory all the same.
      told.set(tracker.origin, { record: bytes, due: Date.now() + RETRY_MS });
    }
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, i) => byte === other[i]);
}
