/**
 * Who else has a site, asked of trackers: those that the person named, and those that a site names in its DNS (a TXT record
 * `tracker=https://…` at `_nethood.<site>`). A site's own tracker learns of that site alone. Where all that does not help, the DHT
 * is asked, if the node is in one.
 */
import type { Libp2p, PrivateKey } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import { type Announcer, createAnnouncer, type Held } from "./announcer.ts";
import type { Named } from "./discovery.ts";
import { createMeeting, type Source } from "./meeting.ts";
import { parseTracker, Tracker } from "./tracker.ts";

/** How often it is looked whether it is time to ask again for what is read, in milliseconds. */
const LOOK_MS = 100;

/** How long neighbours and trackers alone are waited for, before the DHT is asked who has it, in milliseconds. */
const LATE_MS = 1_000;

/** Trackers that sites name, and keys of sites that are remembered: most of each. */
const MAX_TRACKERS = 50, MAX_KEYS = 1_000;

/** How long a site counts as being read after it was opened, in milliseconds, and how many do at once. */
const READING_MS = 60_000, MAX_READING = 20;

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
  knowing(key: CID): Pick<Tracker, "origin" | "slow" | "record" | "putRecord">[];
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
  libp2p: Pick<
    Libp2p,
    "dial" | "getPeers" | "getConnections" | "getMultiaddrs" | "peerId" | "logger"
  >,
  { urls, key, held, given, log, dht }: {
    /** Trackers for every site. @see parseTracker */
    urls: string[];
    /** The node's, which signs announces. */
    key: PrivateKey;
    /** What is held of one site, by its DNS name, or of all; undefined: nobody is told. */
    held: ((site?: string) => Held) | undefined;
    given(): number;
    log: (line: string) => void;
    /** Who is asked when nobody else helps. Default: nobody. */
    dht?: Source | undefined;
  },
): Trackers {
  const meeting = createMeeting(libp2p);
  const known = new Map<string, Known>();
  /** What is being read, the latest last. */
  const reading = new Map<string, { site: Site; at: number }>();
  /** Since when each is waited for that is not here, the longest first. */
  const missing = new Set<{ since: number }>();
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
      const one = { since: Date.now() };
      if (missing.size === 0) looking = setInterval(look, LOOK_MS);
      missing.add(one);
      look();
      return () => {
        missing.delete(one);
        if (missing.size === 0) clearInterval(looking);
      };
    },
    named(site, { trackers, seeders, key }) {
      for (const address of seeders) void dialSeeder(site, address);
      if (key !== undefined && trackers.length > 0) {
        if (sitesOf.size >= MAX_KEYS) sitesOf.clear();
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
      meeting.stop();
      clearInterval(looking);
      await Promise.all([...known.values()].map(async ({ tracker, announcer }) => {
        await announcer?.stop();
        await tracker.stop();
      }));
    },
  };

  function look(): void {
    const now = Date.now();
    const [longest] = missing;
    const far = longest && now - longest.since >= LATE_MS ? dht : undefined;
    for (const [what, { site, at }] of reading) {
      if (now - at > READING_MS) reading.delete(what);
      else {
        meet(site);
        if (far) { for (const key of site.keys) void meeting.lookUp(far, key); }
      }
    }
  }

  function meet({ name, keys }: Site): void {
    for (const tracker of serving(name)) for (const key of keys) void meeting.lookUp(tracker, key);
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

  function dialSeeder(site: string, text: string): Promise<void> | undefined {
    // Of an address without a peer ID nobody could say that who answers is the right one.
    if (isSeeder(text)) return meeting.reach(text, multiaddr(text));
    log(`${site} names a seeder whose address is none: ${text.slice(0, 100)}`);
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
