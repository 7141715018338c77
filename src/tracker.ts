/** A tracker: peers announce to it what they have, and ask it who else has that. What it says is a hint, never a truth. */
import { resolve as absolute } from "node:path";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { type Announce, readAnnounce, Refusal } from "./routing/announce.ts";
import type { Key } from "./routing/key.ts";
import { type Reach, readReach } from "./routing/reach.ts";
import { createAnswers, type Found } from "./tracker/answers.ts";
import { createChecker, isClaimed } from "./tracker/checker.ts";
import { createDialer } from "./tracker/dialer.ts";
import { cutPlace, placeOf } from "./tracker/hash.ts";
import { identityOf } from "./tracker/identity.ts";
import { createTrackerNames, type TrackerNames } from "./tracker/names.ts";
import type { Asker } from "./tracker/order.ts";
import { mayAnnounce, mayAsk, OPEN_RULES, type Rules } from "./tracker/rules.ts";
import { SqliteStore } from "./tracker/sqlite.ts";
import type { Addresses, Counts, Stats, TrackerStore } from "./tracker/store.ts";

export type { Found } from "./tracker/answers.ts";
export { askerAt } from "./tracker/order.ts";
export type { Asker } from "./tracker/order.ts";
export { parseRules, type Rules } from "./tracker/rules.ts";
export type { Counts, Stats, TrackerStore } from "./tracker/store.ts";

/** For how long an announce holds where the peer has no wish, and the bounds of a wish, in seconds. */
const TTL_S = 1_800, MIN_TTL_S = 60, MAX_TTL_S = 24 * 3_600;

/** How often the sweep looks at a part of the peers, in milliseconds: at a million of them it is round in eight minutes. */
const SWEEP_MS = 500;

export interface TrackerOptions {
  /** Folder for the tracker's key and what was announced. */
  dir: string;
  /** URLs at which it is reached; the first is the one that it tells of itself. Announces for another one are refused. */
  urls: string[];
  /** Default: open to everybody. */
  rules?: Rules;
  /** Where announces are kept. Default: SQLite, in the folder. The tracker closes it. */
  store?: TrackerStore;
  /** Dials a multiaddr to see whether its peer is there. Default: by libp2p, over TCP and WebSockets. */
  dial?: (address: string) => Promise<boolean>;
  /** Milliseconds since 1970. Default: the system's clock. */
  now?: () => number;
  /** Told what whoever runs it may want to know. Default: silence. */
  log?: (line: string) => void;
}

/** What an announce is answered. */
export interface Announced {
  /** Seconds for which it holds. */
  ttl: number;
  /** Seconds after which it should be renewed. */
  interval: number;
  /** What renews it. */
  token: string;
  time: number;
  refused: { key: string; why: string }[];
}

export interface Tracker extends AsyncDisposable {
  /** Its peer ID. */
  readonly id: string;
  readonly url: string;
  /** Seconds for which an announce holds that has no wish. */
  readonly ttl: number;
  now(): number;
  /** @param body as it came */
  announce(body: string, from: Asker): Promise<Announced | Refusal>;
  renew(token: string, given?: number): Promise<Omit<Announced, "token" | "refused"> | Refusal>;
  /** Who has a key, at most 100; or that this asker may not know. */
  providers(key: string, from: Asker): Promise<Found | Refusal>;
  peer(id: string, from: Asker): Promise<Found>;
  /** The peers nearest to a key by XOR. @param place the SHA-256 of the key's multihash */
  closest(place: Uint8Array, from: Asker): Promise<Found>;
  scrape(keys: Key[]): Promise<Counts[]>;
  stats(): Promise<Stats>;
  readonly names: TrackerNames;
  /** Fulfilled when nobody waits to be dialled. */
  checked(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a tracker. It opens no socket: `createTrackerApp` answers HTTP for it.
 *
 * @throws {NethoodError} DIR_LOCKED, DIR_TOO_NEW, DIR_UNWRITABLE, DISK_FULL
 */
export async function createTracker(options: TrackerOptions): Promise<Tracker> {
  const { urls, rules = OPEN_RULES, now = Date.now, log = () => undefined } = options;
  const dir = absolute(options.dir);
  const origins = urls.map((url) => new URL(url).origin);
  await using starting = new AsyncDisposableStack();
  const key = await identityOf(dir);
  const store = starting.use(options.store ?? new SqliteStore(dir, log));
  const dial = options.dial ?? starting.use(createDialer(key));
  const checker = starting.adopt(createChecker(dial, store, { now, log }), (c) => c.stop());
  const answers = createAnswers(store, now);
  const sweep = setInterval(() => {
    store.expire(now()).catch((error) => log(`Old announces are kept: ${error.message}`));
  }, SWEEP_MS);
  starting.defer(() => clearInterval(sweep));
  const running = starting.move();
  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= running.disposeAsync();

  return {
    id: peerIdFromPrivateKey(key).toString(),
    url: urls[0]!,
    ttl: TTL_S,
    now,
    async announce(body, from) {
      const said = await readAnnounce(body, { origins, now: now() });
      if (said instanceof Refusal) return said;
      const allowed = await permitted(said);
      if (allowed instanceof Refusal) return allowed;
      const reaches = reachesOf(said);
      const ttl = Math.min(Math.max(said.ttl ?? TTL_S, MIN_TTL_S), MAX_TTL_S);
      const { id, event, time, given } = said;
      const kept = await store.announce({
        ...{ id, event, time, given, ttl, now: now(), ...allowed },
        place: cutPlace(placeOf(said.multihash)),
        from: from.ip,
        network: from.network,
        addrs: sorted(id, reaches, from),
      });
      if (kept === undefined) {
        return new Refusal(409, "This announce, or a later one of this peer, was here before.");
      }
      if (event !== "stopped") checker.check({ id, from, reaches });
      const { token } = kept;
      return { ttl, interval: Math.floor(ttl / 2), token, time: now(), refused: said.refused };
    },
    async renew(token, given) {
      const ttl = await store.renew(token, now(), given);
      if (ttl === undefined) return new Refusal(404, "There is nothing to renew: announce again.");
      return { ttl, interval: Math.floor(ttl / 2), time: now() };
    },
    async providers(key, from) {
      if (!rules.open) {
        const follows = async () =>
          (await answers.neighbours(key, from)).some((peer) => peer.from === from.ip);
        if (!await mayAsk(rules.of(key), from.ip, follows)) {
          return new Refusal(403, "Whoever runs this tracker tells of this site to others only.");
        }
      }
      return await answers.providers(key, from);
    },
    peer: answers.peer,
    closest: answers.closest,
    scrape: (keys) => store.scrape(keys.map(({ id }) => id), now()),
    stats: answers.stats,
    names: createTrackerNames(store, now),
    checked: checker.idle,
    stop,
    [Symbol.asyncDispose]: stop,
  };

  /** The keys that this peer may announce; those that it may not are added to what was refused. */
  async function permitted(
    { id, event, seeds, reads, refused }: Announce,
  ): Promise<{ seeds: string[]; reads: string[] } | Refusal> {
    // Whoever is here may go, and say of what.
    if (rules.open || event === "stopped") return { seeds: ids(seeds), reads: ids(reads) };
    const may = async (keys: Key[]) => {
      const allowed: Key[] = [];
      for (const key of keys) {
        const follows = () => store.has(id, key.id, now());
        if (await mayAnnounce(rules.of(key.id), id, follows)) allowed.push(key);
        else refused.push({ key: key.text, why: "This peer may not announce it here." });
      }
      return ids(allowed);
    };
    const allowed = { seeds: await may(seeds), reads: await may(reads) };
    const none = allowed.seeds.length + allowed.reads.length === 0;
    return none && seeds.length + reads.length > 0
      ? new Refusal(403, "This peer may not announce any of these keys here.")
      : allowed;
  }

  function reachesOf({ id, addrs }: Announce): Reach[] {
    return addrs.flatMap((address) => {
      const reach = readReach(address, id);
      // A relay in somebody's own network is of no use outside, and nobody there needs one.
      return reach === undefined || reach.relay && reach.from !== "world" ? [] : [reach];
    });
  }

  function sorted(id: string, reaches: Reach[], from: Asker): Addresses {
    const addrs: Addresses = { world: [], network: [], machine: [], claimed: [] };
    for (const reach of reaches) {
      const { text } = reach;
      if (reach.from === "machine" && from.near !== "machine") continue;
      const claimed = isClaimed(reach, from) && !checker.knows(id, text);
      addrs[claimed ? "claimed" : reach.from].push(text);
    }
    return addrs;
  }
}

function ids(keys: Key[]): string[] {
  return keys.map(({ id }) => id);
}
