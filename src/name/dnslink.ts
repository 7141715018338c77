/**
 * DNSLink: what a domain name means, as its owner wrote it into the DNS (https://dnslink.dev): a TXT record
 * `dnslink=/ipfs/<cid>/path` or `dnslink=/ipns/<name>/path` at `_dnslink.<name>`.
 */
import { parseAddress, parseName } from "../content/address.ts";
import { NethoodError } from "../errors.ts";
import type { TxtResolver } from "./dns.ts";

/** Most names remembered. */
const CACHE_SIZE = 1_000;

/**
 * How long "there is none" is remembered, in milliseconds: long enough for a page that asks twenty times, short enough for
 * a publisher who has just added the record.
 */
const NONE_MS = 10_000;

/** Characters that mean something in a URL; with one of them, a text is more (or less) than a name. */
const URL_SYNTAX = /[\s/\\?#@:%[\]]/;

/** What a name means, one step on. */
export interface DnsLink {
  /** `/ipfs/<cid>/path` or `/ipns/<name>/path`. */
  value: string;
  /** How long that may be used from now on, in whole seconds. */
  ttl: number;
}

/** What was found at a name, kept for `ms` milliseconds since `since`; no value where there is no DNSLink. */
interface Found {
  value: string | undefined;
  since: number;
  ms: number;
}

/** A lookup that is under way, for everybody who wants it; it stops when the last of them has left. */
interface Flight {
  found: Promise<Found>;
  waiting: number;
  stop: AbortController;
}

/**
 * A lookup of DNSLinks that remembers answers for as long as their TTL allows.
 *
 * `_dnslink.<name>` is asked; the name itself only where there is no `dnslink=` record. Of several records the first in
 * alphabetical order counts, so that all readers agree; those that are no address are ignored.
 *
 * @param txt see {@link createTxtResolver}
 * @param options.now milliseconds since 1970. Default: the clock.
 * @param options.cacheSize most names remembered, the least recently used forgotten first; 0 remembers none. Default: 1000.
 * @returns a function that throws {NethoodError} NO_DNSLINK, DNS_UNREACHABLE (which is not remembered) or BAD_ADDRESS
 */
export function createDnsLink(
  txt: TxtResolver,
  { now = Date.now, cacheSize = CACHE_SIZE }: { now?: () => number; cacheSize?: number } = {},
): (name: string, options?: { signal?: AbortSignal | undefined }) => Promise<DnsLink> {
  const cache = new Map<string, Found>();
  const flights = new Map<string, Flight>();

  return async (name, { signal } = {}) => {
    signal?.throwIfAborted();
    const domain = normalise(name);
    const { value, since, ms } = cached(domain) ?? await board(domain, signal);
    if (value === undefined) throw noDnsLink(domain);
    return { value, ttl: Math.max(0, Math.floor((since + ms - now()) / 1000)) };
  };

  function cached(domain: string): Found | undefined {
    const found = cache.get(domain);
    if (found === undefined) return undefined;
    cache.delete(domain);
    const age = now() - found.since;
    // A clock that was set back makes an answer younger than new; how old it is nobody knows.
    if (age < 0 || age >= found.ms) return undefined;
    cache.set(domain, found); // at the end: a Map keeps its order, oldest first
    return found;
  }

  function keep(domain: string, found: Found): void {
    cache.delete(domain);
    cache.set(domain, found);
    for (const oldest of cache.keys()) {
      if (cache.size <= cacheSize) break;
      cache.delete(oldest);
    }
  }

  /** Joins the lookup of a domain, or starts it, and waits for what it finds or until the signal says not to. */
  async function board(domain: string, signal: AbortSignal | undefined): Promise<Found> {
    const flight = flights.get(domain) ?? start(domain);
    flight.waiting++;
    const left = new AbortController();
    try {
      const races = [flight.found];
      if (signal !== undefined) races.push(aborted(signal, left.signal));
      return await Promise.race(races);
    } finally {
      left.abort();
      if (--flight.waiting === 0) {
        flights.delete(domain);
        flight.stop.abort();
      }
    }
  }

  function start(domain: string): Flight {
    const stop = new AbortController();
    const found = find(txt, domain, stop.signal).then((record) => {
      const found = {
        value: record?.value,
        since: now(),
        ms: record ? record.ttl * 1000 : NONE_MS,
      };
      keep(domain, found);
      return found;
    });
    const flight = { found, waiting: 0, stop };
    flights.set(domain, flight);
    return flight;
  }
}

async function find(
  txt: TxtResolver,
  domain: string,
  signal: AbortSignal,
): Promise<DnsLink | undefined> {
  for (const name of [`_dnslink.${domain}`, domain]) {
    const records = (await txt(name, { signal })).filter(({ data }) => data.startsWith("dnslink="));
    // A broken record at the prefixed name is still the publisher's word: an older one at the bare name would be no better.
    if (records.length > 0) return choose(records);
  }
}

/** The first in code unit order: "/ipfs/" comes before "/ipns/", and all readers choose the same. */
function choose(records: { data: string; ttl: number }[]): DnsLink | undefined {
  return records.map(({ data, ttl }) => ({ value: data.slice("dnslink=".length).trimEnd(), ttl }))
    .filter(({ value }) => isAddress(value))
    .sort((a, b) => a.value < b.value ? -1 : a.value > b.value ? 1 : a.ttl - b.ttl)[0];
}

function isAddress(value: string): boolean {
  if (!/^\/ip[fn]s\/[^/]/.test(value)) return false;
  try {
    parseAddress(value);
    return true;
  } catch (error) {
    if (error instanceof NethoodError) return false;
    throw error;
  }
}

function normalise(name: string): string {
  if (URL_SYNTAX.test(name)) {
    throw new NethoodError("BAD_ADDRESS", `"${name.slice(0, 80)}" is not a DNS name.`, {
      hint: "A DNS name looks like docs.example.org.",
    });
  }
  return parseName(name);
}

function noDnsLink(domain: string): NethoodError {
  return new NethoodError(
    "NO_DNSLINK",
    `${domain} has no DNSLink: no TXT record at _dnslink.${domain} (or at ${domain}) leads to content.`,
    {
      hint: "Readers: check the spelling. Publishers: add the TXT record " +
        `_dnslink.${domain} with the text dnslink=/ipfs/<cid> or dnslink=/ipns/<name>.`,
    },
  );
}

function aborted(signal: AbortSignal, left: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true, signal: left });
  });
}
