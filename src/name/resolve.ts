/**
 * From an address to a CID and a path: the only place where names are followed, one after the other, until one is immutable.
 * The shortest TTL of the chain counts, and what a name last meant is remembered, so that a reader who is offline (or whose
 * resolver is slow) still opens what was opened before.
 */
import { CID } from "multiformats/cid";
import { type Address, formatAddress, parseAddress, parseKey } from "../content/address.ts";
import { isAbort, NethoodError } from "../errors.ts";
import type { Records } from "../store/records.ts";

/** Most names in one chain (dnslink-gateway specification, "hard recursion limit"). */
const MAX_DEPTH = 32;

/** How long a lookup may take before a remembered answer is used; the lookup goes on meanwhile. */
const PATIENCE_MS = 1_000;

/** How long a name whose lookup failed is answered from memory without asking again. */
const RETRY_MS = 30_000;

const MAX_CACHED = 1_000;

export interface Resolved {
  cid: CID;
  path: string[];
  /** Seconds for which the answer may be used; undefined where the address is immutable. */
  ttl: number | undefined;
  /** Every address on the way, the first one included. */
  chain: string[];
  /** True where a name could not be looked up now, and what it last meant is used. */
  stale: boolean;
}

type Options = { signal?: AbortSignal | undefined };
type Lookup<K> = (
  name: K,
  options?: { signal?: AbortSignal },
) => Promise<{ value: string; ttl: number }>;

/** What one name means; `expires` in milliseconds since 1970. */
interface Answer {
  value: string;
  expires: number;
  stale: boolean;
}

export interface Resolver {
  /** @throws {NethoodError} NO_DNSLINK, DNS_UNREACHABLE, IPNS_NOT_FOUND, IPNS_INVALID, NAME_LOOP, BAD_ADDRESS */
  resolve(address: Address, options?: Options): Promise<Resolved>;
}

export function createResolver(
  { dnsLink, ipns, records, now = Date.now, patience = PATIENCE_MS }: {
    dnsLink: Lookup<string>;
    ipns: Lookup<CID>;
    records: Pick<Records, "get" | "run">;
    now?: () => number;
    patience?: number;
  },
): Resolver {
  const cache = new Map<string, Answer>();
  const underway = new Map<string, Promise<Answer>>();

  return {
    async resolve(address, options = {}) {
      const chain = [formatAddress(address)];
      let ttl: number | undefined;
      let stale = false;
      while (address.namespace === "ipns") {
        if (chain.length > MAX_DEPTH) {
          throw new NethoodError(
            "NAME_LOOP",
            `${chain[0]} leads through more than ${MAX_DEPTH} names.`,
            {
              hint:
                "Its publisher has to mend a DNSLink or IPNS record that points back to itself.",
            },
          );
        }
        const answer = await meaning(address.root, options);
        stale ||= answer.stale;
        const remaining = Math.max(0, Math.floor((answer.expires - now()) / 1000));
        ttl = Math.min(ttl ?? Infinity, remaining);
        const next = parseAddress(answer.value);
        address = { ...next, path: [...next.path, ...address.path] };
        chain.push(formatAddress(address));
      }
      return { cid: CID.parse(address.root), path: address.path, ttl, chain, stale };
    },
  };

  async function meaning(name: string, { signal }: Options): Promise<Answer> {
    signal?.throwIfAborted();
    const cached = cache.get(name);
    if (cached !== undefined && cached.expires > now()) return cached;
    const lookup = underway.get(name) ?? start(name);
    const remembered = records.get<{ value: string }>(
      "SELECT value FROM names WHERE name = ?",
      name,
    )?.value;
    const races: Promise<Answer | undefined>[] = [lookup];
    const over = new AbortController();
    if (signal) races.push(aborted(signal, over.signal));
    if (remembered !== undefined) races.push(delay(patience, over.signal));
    try {
      const answer = await Promise.race(races);
      if (answer !== undefined) return answer;
    } catch (error) {
      if (remembered === undefined || !isPassing(error) || signal?.aborted) throw error;
      keep(name, { value: remembered, expires: now() + RETRY_MS, stale: true });
    } finally {
      over.abort();
    }
    return { value: remembered!, expires: now(), stale: true };
  }

  /** One lookup of a name serves all who ask; it is not bound to the signal of whoever came first. */
  function start(name: string): Promise<Answer> {
    const key = parseKey(name);
    const lookup = (key ? ipns(key) : dnsLink(name)).then(({ value, ttl }) => {
      const answer = { value, expires: now() + ttl * 1000, stale: false };
      keep(name, answer);
      records.run("INSERT OR REPLACE INTO names VALUES (?, ?, ?)", name, value, now());
      return answer;
    }).finally(() => underway.delete(name));
    lookup.catch(() => undefined); // Whoever waits gets it; nobody may be waiting any more.
    underway.set(name, lookup);
    return lookup;
  }

  function keep(name: string, answer: Answer): void {
    cache.delete(name);
    cache.set(name, answer);
    for (const oldest of cache.keys()) {
      if (cache.size <= MAX_CACHED) break;
      cache.delete(oldest);
    }
  }
}

/** A failure that says nothing about the name itself: then what it last meant still holds. */
function isPassing(error: unknown): boolean {
  return isAbort(error) ||
    error instanceof NethoodError &&
      ["DNS_UNREACHABLE", "IPNS_NOT_FOUND", "IPNS_INVALID", "TIMEOUT"].includes(error.code);
}

function delay(ms: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, undefined);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  });
}

function aborted(signal: AbortSignal, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: over });
  });
}
