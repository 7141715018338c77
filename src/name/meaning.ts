/**
 * What single names mean, one step on: as it was looked up, for as long as its TTL. What a name last meant is remembered, so
 * that a reader who is offline (or whose resolver is slow) still opens what was opened before.
 */
import type { CID } from "multiformats/cid";
import { isAbort, unlessAborted } from "../abort.ts";
import { parseKey } from "../content/address.ts";
import { NethoodError } from "../errors.ts";
import type { Records } from "../store/records.ts";
import type { Value } from "./value.ts";

/** How long a lookup may take before a remembered answer is used, in milliseconds; the lookup goes on meanwhile. */
const PATIENCE_MS = 1_000;

/** How long a name whose lookup failed is answered from memory without asking again, in milliseconds. */
const RETRY_MS = 30_000;

/**
 * How long "there is none" holds, in milliseconds: long enough for a page that asks twenty times, short enough for a
 * publisher who has just added the record.
 */
const NONE_MS = 10_000;

/** Most answers kept in memory. */
const CACHE_SIZE = 1_000;

/** With `local` nobody is asked: what is remembered is told, else NOT_CACHED. */
type Options = { signal?: AbortSignal | undefined; local?: boolean | undefined };
type Lookup<K> = (name: K, options: Options) => Promise<Value>;

/** What one name means. */
export interface Meaning extends Value {
  /** True where it could not be looked up now, and what it last meant is used. */
  stale: boolean;
}

export interface Meanings {
  /** @throws {NethoodError} as the lookups do, where nothing is remembered that may be used instead */
  of(name: string, options?: Options): Promise<Meaning>;
  /** Looks a name up again when it is asked for next: something newer has come. */
  forget(name: string): void;
  /** Ends all lookups. */
  stop(): void;
}

export interface MeaningOptions {
  dnsLink: Lookup<string>;
  ipns: Lookup<CID>;
  records: Pick<Records, "get" | "run">;
  /** Milliseconds since 1970. Default: the clock. */
  now?: () => number;
  /** Milliseconds before a remembered answer is used. Default: 1000. */
  patience?: number;
  /** Most answers kept, the least recently used forgotten first; 0 keeps none. Default: 1000. */
  cacheSize?: number;
}

/** An answer, or that there is none, which holds for `ms` milliseconds since `since`. */
interface Kept {
  found: { value: string; stale: boolean } | NethoodError;
  since: number;
  ms: number;
}

export function createMeanings(
  { dnsLink, ipns, records, now = Date.now, patience = PATIENCE_MS, cacheSize = CACHE_SIZE }:
    MeaningOptions,
): Meanings {
  const cache = new Map<string, Kept>();
  const underway = new Map<string, Promise<Kept>>();
  const over = new AbortController();

  return {
    async of(name, { signal, local = false } = {}) {
      signal?.throwIfAborted();
      const { found, since, ms } = cached(name) ??
        (local ? await here(name) : await unlessAborted(underway.get(name) ?? start(name), signal));
      if (found instanceof NethoodError) throw found;
      return { ...found, ttl: Math.max(0, Math.floor((since + ms - now()) / 1000)) };
    },
    forget: (name) => void cache.delete(name),
    stop() {
      over.abort(new NethoodError("STOPPED", "The node was stopped while a name was looked up."));
    },
  };

  /** One lookup of a name serves all who ask; it is not bound to any of them, and what it finds late is kept as well. */
  function start(name: string): Promise<Kept> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patience);
    const found = lookUp(name).finally(() => {
      clearTimeout(timer);
      underway.delete(name);
    });
    const answer = Promise.race([found, late.then(() => recall(name, 0) ?? found)]);
    answer.catch(() => undefined); // Whoever waits gets it; nobody may be waiting any more.
    underway.set(name, answer);
    return answer;
  }

  async function lookUp(name: string): Promise<Kept> {
    const { signal } = over;
    try {
      const key = parseKey(name);
      const { value, ttl } = await (key ? ipns(key, { signal }) : dnsLink(name, { signal }));
      signal.throwIfAborted();
      records.run("INSERT OR REPLACE INTO names VALUES (?, ?, ?)", name, value, now());
      return keep(name, { found: { value, stale: false }, since: now(), ms: ttl * 1000 });
    } catch (error) {
      signal.throwIfAborted(); // The memory may be closed by now.
      if (error instanceof NethoodError && error.code === "NO_DNSLINK") {
        return keep(name, { found: error, since: now(), ms: NONE_MS });
      }
      const remembered = isPassing(error) ? recall(name, RETRY_MS) : undefined;
      if (remembered === undefined) throw error;
      return keep(name, remembered);
    }
  }

  /** What is known without asking anybody. */
  async function here(name: string): Promise<Kept> {
    try {
      const key = parseKey(name);
      const { value, ttl } =
        await (key ? ipns(key, { local: true }) : dnsLink(name, { local: true }));
      return { found: { value, stale: false }, since: now(), ms: ttl * 1000 };
    } catch (error) {
      const remembered = recall(name, 0);
      if (remembered === undefined) throw error;
      return remembered;
    }
  }

  /** What the name last meant, however long ago. */
  function recall(name: string, ms: number): Kept | undefined {
    const sql = "SELECT value FROM names WHERE name = ?";
    const value = records.get<{ value: string }>(sql, name)?.value;
    return value === undefined ? undefined : { found: { value, stale: true }, since: now(), ms };
  }

  function cached(name: string): Kept | undefined {
    const kept = cache.get(name);
    if (kept === undefined) return undefined;
    cache.delete(name);
    const age = now() - kept.since;
    // A clock that was set back makes an answer younger than new; how old it is nobody knows.
    if (age < 0 || age >= kept.ms) return undefined;
    cache.set(name, kept); // at the end: a Map keeps its order, oldest first
    return kept;
  }

  function keep(name: string, kept: Kept): Kept {
    cache.delete(name);
    cache.set(name, kept);
    for (const oldest of cache.keys()) {
      if (cache.size <= cacheSize) break;
      cache.delete(oldest);
    }
    return kept;
  }
}

/** A failure that says nothing about the name itself: then what it last meant still holds. */
function isPassing(error: unknown): boolean {
  return isAbort(error) ||
    error instanceof NethoodError &&
      ["DNS_UNREACHABLE", "IPNS_NOT_FOUND", "IPNS_INVALID", "TIMEOUT"].includes(error.code);
}
