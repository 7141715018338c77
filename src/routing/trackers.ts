/**
 * Who else has a site, asked of trackers: those that the person named, and those that a site names in its DNS (a TXT record
 * `tracker=https://…` at `_nethood.<site>`). Whoever they name is dialled, and that is all: a tracker that is down, slow, or
 * lies delays nobody, since reads go on with the peers that there are. A site's own tracker learns of that site alone.
 */
import type { Libp2p, PrivateKey } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import { type Announcer, createAnnouncer, type Held } from "./announcer.ts";
import { createPauses } from "../pause.ts";
import type { Named } from "./discovery.ts";
import { parseTracker, type Provider, Tracker } from "./tracker.ts";

/**
 * How soon the same thing is looked up again while it is read, in milliseconds; the last one repeats. Of those who come in one
 * moment nobody is known there yet when they look first.
 */
const AGAIN_MS = [500, 1_000, 2_000, 5_000];

/** How often it is looked whether it is time for that, in milliseconds. */
const LOOK_MS = 100;

/** Lookups that are remembered for that, and trackers that sites name: most of each. */
const MAX_ASKED = 1_000, MAX_TRACKERS = 50;

/** How long a site counts as being read after it was opened, in milliseconds, and how many do at once. */
const READING_MS = 60_000, MAX_READING = 20;

/** Peers that are dialled for one lookup at one tracker: most, at once, and how long each may take in milliseconds. */
const MAX_DIALLED = 24, AT_ONCE = 8, DIAL_MS = 5_000;

/** How long one of two who may hear of each other at the same time leaves it to the other to dial, in milliseconds. */
const COURTESY_MS = 1_000;

/** More connections than this are not looked for. */
const MAX_PEERS = 100;

/** A site that is being opened. */
export interface Site {
  /** Its DNS name, where it was opened by one. */
  name?: string | undefined;
  /** What it is found by at a tracker: the root, the IPNS key. */
  keys: CID[];
}

export interface Trackers {
  /** Somebody reads a site: what is missing of it may have to be found. */
  opened(site: Site): void;
  /**
   * Something of what is read is not here: looks for others who have the sites, and connects to them. Nobody waits for it.
   *
   * @returns what to call when it is here, or not wanted any more
   */
  needed(): () => void;
  /** What a site's DNS says of its trackers and seeders. */
  named(site: string, found: Named): void;
  /** Trackers that may know the record of an IPNS key. */
  knowing(key: CID): Pick<Tracker, "origin" | "record" | "putRecord">[];
  /** What is held has changed. */
  changed(): void;
  stop(): Promise<void>;
}

interface Known {
  tracker: Tracker;
  announcer: Announcer | undefined;
  /** Sites it is for; undefined for all, because the person named it. */
  sites: Set<string> | undefined;
}

export function createTrackers(
  libp2p: Pick<Libp2p, "dial" | "getPeers" | "getMultiaddrs" | "peerId" | "logger">,
  { urls, key, held, given, log }: {
    /** Trackers for every site. @see parseTracker */
    urls: string[];
    /** The node's, which signs announces. */
    key: PrivateKey;
    /** What is held of one site, by its DNS name, or of all; undefined: nobody is told. */
    held: ((site?: string) => Held) | undefined;
    given(): number;
    log: (line: string) => void;
  },
): Trackers {
  const over = new AbortController();
  const known = new Map<string, Known>();
  /** When what was looked up where last, and how many times in a row. */
  const asked = new Map<string, { at: number; times: number }>();
  /** What is being read, the latest last. */
  const reading = new Map<string, { site: Site; at: number }>();
  /** How much is not here that is waited for. */
  let missing = 0;
  let looking: ReturnType<typeof setInterval> | undefined;
  /** The site that an IPNS key was last found under. */
  const sitesOf = new Map<string, string>();
  for (const url of urls) add(parseTracker(url), undefined);

  return {
    opened({ name, keys }) {
      const what = name ?? String(keys[0]);
      reading.delete(what); // to be the last again
      reading.set(what, { site: { name, keys }, at: Date.now() });
      if (reading.size > MAX_READING) reading.delete(reading.keys().next().value!);
    },
    needed() {
      if (missing++ === 0) looking = setInterval(look, LOOK_MS);
      look();
      return () => {
        if (--missing === 0) clearInterval(looking);
      };
    },
    named(site, { trackers, seeders, key }) {
      for (const address of seeders) void dialSeeder(site, address);
      if (key !== undefined && trackers.length > 0) {
        if (sitesOf.size >= MAX_ASKED) sitesOf.clear();
        sitesOf.set(key.toString(), site);
      }
      for (const url of trackers) {
        let origin: string;
        try {
          origin = parseTracker(url);
        } catch {
          log(`${site} names a tracker whose address is none: ${url.slice(0, 100)}`);
          continue;
        }
        const there = known.get(origin);
        if (there === undefined) {
          if (known.size < MAX_TRACKERS) add(origin, new Set([site]));
        } else if (there.sites !== undefined && !there.sites.has(site)) {
          there.sites.add(site);
          there.announcer?.changed();
        }
      }
      // Its followers have the newest record, which is asked for next.
      if (key !== undefined) meet({ name: site, keys: [key] });
    },
    knowing: (key) => serving(sitesOf.get(key.toString())),
    changed() {
      for (const { announcer } of known.values()) announcer?.changed();
    },
    async stop() {
      over.abort();
      clearInterval(looking);
      await Promise.all([...known.values()].map(async ({ tracker, announcer }) => {
        await announcer?.stop();
        await tracker.stop();
      }));
    },
  };

  function look(): void {
    for (const [what, { site, at }] of reading) {
      if (Date.now() - at > READING_MS) reading.delete(what);
      else meet(site);
    }
  }

  function meet({ name, keys }: Site): void {
    for (const tracker of serving(name)) for (const key of keys) void lookUp(tracker, key);
  }

  /** Trackers that may hear of a site. */
  function serving(site: string | undefined): Tracker[] {
    return [...known.values()].filter(({ sites }) =>
      sites === undefined || site !== undefined && sites.has(site)
    ).map(({ tracker }) => tracker);
  }

  function add(origin: string, sites: Set<string> | undefined): void {
    const tracker = new Tracker(origin, { key, logger: libp2p.logger });
    const announcer = held && createAnnouncer(tracker, {
      held: () => sites === undefined ? held() : together([...sites].map((site) => held(site))),
      addrs: () => libp2p.getMultiaddrs().map(String),
      given,
      log,
    });
    known.set(origin, { tracker, announcer, sites });
  }

  async function lookUp(tracker: Tracker, key: CID): Promise<void> {
    const what = `${tracker.origin} ${key}`;
    const now = Date.now();
    const { at, times } = asked.get(what) ?? { at: -Infinity, times: 0 };
    const wait = AGAIN_MS[Math.min(times, AGAIN_MS.length) - 1] ?? 0;
    if (now - at < wait || over.signal.aborted) return;
    if (asked.size >= MAX_ASKED) asked.clear();
    asked.set(what, { at: now, times: now - at > READING_MS ? 1 : times + 1 });
    try {
      await dialAll(tracker.providers(key, over));
    } catch (error) {
      // The announcer tells when a tracker is away; here it is one source among others.
      libp2p.logger.forComponent("nethood:trackers")("%s: %e", what, error);
    }
  }

  /** Dials as they come: the tracker says first who is nearest. */
  async function dialAll(providers: AsyncIterable<Provider>): Promise<void> {
    const dialling = new Set<Promise<void>>();
    let dialled = 0;
    for await (const provider of providers) {
      const connected = libp2p.getPeers();
      if (connected.length >= MAX_PEERS) break;
      if (provider.id.equals(libp2p.peerId) || provider.addrs.length === 0) continue;
      if (connected.some((peer) => peer.equals(provider.id))) continue;
      const work: Promise<void> = dial(provider).finally(() => dialling.delete(work));
      dialling.add(work);
      if (++dialled >= MAX_DIALLED) break;
      if (dialling.size >= AT_ONCE) await Promise.race(dialling);
    }
    await Promise.all(dialling);
  }

  async function dial({ id, addrs }: Provider): Promise<void> {
    // Nobody is dialled later by who has nobody. In a crowd every second handshake would be for nothing.
    if (libp2p.getPeers().length > 0 && String(libp2p.peerId) > String(id)) {
      await createPauses(over.signal).pause(COURTESY_MS);
      if (libp2p.getPeers().some((peer) => peer.equals(id))) return;
    }
    const end = `/p2p/${id}`;
    const whole = addrs.map((address) =>
      address.toString().endsWith(end) ? address : address.encapsulate(end)
    );
    await reach(String(id), whole);
  }

  function dialSeeder(site: string, text: string): Promise<void> | undefined {
    // Of an address without a peer ID nobody could say that who answers is the right one.
    if (isSeeder(text)) return reach(text, multiaddr(text));
    log(`${site} names a seeder whose address is none: ${text.slice(0, 100)}`);
  }

  async function reach(name: string, to: Multiaddr | Multiaddr[]): Promise<void> {
    if (over.signal.aborted) return;
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(DIAL_MS)]);
    try {
      await libp2p.dial(to, { signal });
    } catch (error) {
      // It went home, or never was there: ordinary, and no concern of the reader.
      libp2p.logger.forComponent("nethood:trackers")("%s was not reached: %e", name, error);
    }
  }
}

function isSeeder(text: string): boolean {
  try {
    return multiaddr(text).getComponents().some(({ name }) => name === "p2p");
  } catch {
    return false; // Whatever is wrong with it.
  }
}

function together(parts: Held[]): Held {
  const seeds = new Set(parts.flatMap(({ seeds }) => seeds));
  const reads = new Set(parts.flatMap(({ reads }) => reads));
  return { seeds: [...seeds], reads: [...reads].filter((key) => !seeds.has(key)) };
}
