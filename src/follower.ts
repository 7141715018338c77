/**
 * Follows sites: each is kept whole, always its newest version and some before it, and is given to others. What is followed is
 * remembered, and followed again at every start.
 */
import type { CID } from "multiformats/cid";
import { formatAddress, parseAddress, parseKey } from "./content/address.ts";
import { NethoodError } from "./errors.ts";
import { labelOf } from "./name/keyring.ts";
import type { Names } from "./name/names.ts";
import type { IpnsRecord } from "./name/record.ts";
import type { Herald } from "./routing/herald.ts";
import type { Push } from "./routing/push.ts";
import {
  type FollowProgress,
  followSite,
  nameOf,
  type SiteFollow,
  type Taken,
} from "./site/follow.ts";
import { createGiven } from "./site/given.ts";
import { createHolding, type HoldingOptions, KEEP } from "./site/holding.ts";
import { createFollows, type Follow, type HeldVersion } from "./store/follows.ts";
import type { Records } from "./store/records.ts";
import type { Shares } from "./store/shares.ts";

export type { FollowProgress, Taken } from "./site/follow.ts";

/** How long is waited before others are asked what they know, in milliseconds: many may be met at once. */
const MET_MS = 100;

const IPNS = "/ipns/";

/** What happens to the sites that are followed. */
export type FollowEvent =
  | { type: "progress"; progress: FollowProgress }
  /** Another version is here whole, and in force. */
  | { type: "version"; taken: Taken }
  /** Why it does not get on; it is tried again. */
  | { type: "trouble"; site: string; text: string };

/** A site that is followed, as a table shows it. */
export interface Followed extends Follow {
  /** The version that is here whole; undefined where none is yet, or its publisher keeps no versions. */
  version: number | undefined;
  /** How many versions newer than that are known of. */
  behind: number;
  /** Its root, the bytes of its tree, and since when it is here (milliseconds since 1970); undefined where none is yet. */
  cid: string | undefined;
  bytes: number | undefined;
  taken: number | undefined;
  /** Bytes of it that were given to others since the node started; undefined where none runs. */
  given?: number | undefined;
}

export interface Follower extends AsyncDisposable {
  /**
   * Follows a site from now on; again, it changes how many versions stay. It returns when the site's name was looked up, or
   * could not be now.
   *
   * @param address a DNS name or an IPNS key
   * @throws {NethoodError} BAD_ADDRESS, NO_DNSLINK, BAD_OPTION for a site that is published here, or `keep` below 1
   */
  follow(address: string, options?: { keep?: number | undefined }): Promise<Follow>;
  /** Follows it no longer; what is here of it stays. Whether it was followed. */
  unfollow(address: string): Promise<boolean>;
  list(): Promise<Followed[]>;
  /** A block was given to a peer. */
  gave(cid: CID, bytes: number): void;
  /** How many connected peers follow an IPNS key, as far as they said. */
  followers(key: CID): number;
  /** Told of everything that happens, until the signal is aborted. */
  watch(told: (event: FollowEvent) => void, options: { signal?: AbortSignal | undefined }): void;
  /** Whether a newer record of a key has to wait for what it leads to. */
  holds(key: CID, record: IpnsRecord, inForce: IpnsRecord): boolean;
  /** The record of a key has changed, or a newer one waits. */
  heard(key: CID): void;
  /** A peer that follows the same key is here. */
  met(key: CID): void;
}

export interface FollowerOptions extends Omit<HoldingOptions, "follows" | "transaction"> {
  records: Records;
  names: Pick<Names, "record" | "waiting" | "settle" | "own">;
  shares: Pick<Shares, "note" | "held">;
  push: Pick<Push, "subscribe" | "unsubscribe" | "listeners">;
  herald: Pick<Herald, "keep" | "drop">;
  resolve(address: string, options: { signal: AbortSignal }): Promise<{ chain: string[] }>;
}

interface Running {
  follow: SiteFollow;
  keys: CID[];
}

export function createFollower(options: FollowerOptions): Follower {
  const { names, records } = options;
  const follows = createFollows(records);
  const transaction = <T>(work: () => T): T => records.transaction(work);
  const running = new Map<string, Running>();
  const given = createGiven();
  const watchers = new Set<(event: FollowEvent) => void>();
  const tell = (event: FollowEvent) => watchers.forEach((told) => told(event));
  const meeting = new Map<string, ReturnType<typeof setTimeout>>();
  const following = (key: CID) =>
    [...running].filter(([, { keys }]) => keys.some((one) => one.equals(key)));

  for (const { site } of follows.all()) start(site);

  return {
    async follow(address, { keep = KEEP } = {}) {
      const site = siteOf(address);
      if (!Number.isSafeInteger(keep) || keep < 1) {
        throw new NethoodError("BAD_OPTION", `"${keep}" is not a number of versions to keep.`, {
          hint: "Give --keep a whole number: 1 keeps the newest version alone.",
        });
      }
      if (parseKey(site) === undefined && await names.own(labelOf(site)) !== undefined) {
        throw new NethoodError("BAD_OPTION", `The site ${site} is published from this folder.`, {
          hint: "It is kept already, with all its versions; follow it on another machine.",
        });
      }
      const before = follows.get(site);
      const now = { site, keep, since: before?.since ?? Date.now() };
      follows.set(now);
      const { follow } = running.get(site) ?? start(site);
      if (before !== undefined) follow.ask();
      else {
        await follow.first().catch(async (error) => {
          if (isPassing(error)) return; // It is tried again.
          await unfollow(site);
          throw error;
        });
      }
      return now;
    },
    unfollow: (address) => unfollow(siteOf(address)),
    list: () =>
      Promise.all(
        follows.all().map(async (follow) => {
          const { site } = follow;
          const held = follows.held(site);
          const roots = held.map(({ root }) => root);
          return {
            ...describe(follow, held, running.get(site)?.follow.heard),
            given: await given.of(roots, options.blocks),
          };
        }),
      ),
    gave: given.gave,
    followers: options.push.listeners,
    watch(told, { signal }) {
      watchers.add(told);
      signal?.addEventListener("abort", () => watchers.delete(told), { once: true });
    },
    holds: (key, { value, number }, inForce) =>
      (value !== inForce.value || number !== inForce.number) &&
      following(key).some(([site]) => follows.held(site).length > 0),
    heard(key) {
      const sites = following(key);
      if (sites.length > 0) options.herald.keep(key);
      for (const [, { follow }] of sites) follow.wake();
    },
    met(key) {
      for (const [site, { follow }] of following(key)) {
        if (meeting.has(site)) continue;
        const ask = () => {
          meeting.delete(site);
          follow.ask();
        };
        meeting.set(site, setTimeout(ask, MET_MS));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const timer of meeting.values()) clearTimeout(timer);
      await Promise.all([...running.values()].map(({ follow }) => follow.stop()));
    },
  };

  function start(site: string): Running {
    const { take, tidy } = createHolding(site, { ...options, follows, transaction });
    const onProgress = (progress: FollowProgress) => tell({ type: "progress", progress });
    const one: Running = {
      keys: [],
      follow: followSite({
        site,
        names,
        resolve: async ({ signal }) => (await options.resolve(`/ipns/${site}`, { signal })).chain,
        take: async (target, signal) => {
          const keys = target.keys.map(({ key }) => `/ipns/${nameOf(key)}`);
          const share = (root: CID, whole: boolean) => {
            const all = [`/ipns/${site}`, ...keys, `${root}`];
            options.shares.note({ keys: all, site, whole, chosen: true });
          };
          // Others who fetch it now are to find this node before it has everything.
          share(target.root, false);
          const taken = await take(target, { signal, onProgress });
          share(taken.cid, true);
          return taken;
        },
        tidy,
        held: () => follows.held(site),
        attend: (keys) => attend(site, keys),
        onTaken: (taken) => tell({ type: "version", taken }),
        onTrouble: (text) => tell({ type: "trouble", site, text }),
      }),
    };
    running.set(site, one);
    // From the first moment: whoever looks the name up would else put a record in force before its version is here.
    attend(site, knownKeys(site));
    return one;
  }

  /** The keys under which it was taken last. */
  function knownKeys(site: string): CID[] {
    const { seeds } = options.shares.held(site);
    const keys = seeds.filter((key) => key.startsWith(IPNS)).map((key) =>
      parseKey(key.slice(IPNS.length))
    );
    return keys.filter((key) => key !== undefined);
  }

  function attend(site: string, keys: CID[]): void {
    const one = running.get(site);
    // It was taken away while it looked.
    if (one === undefined) return;
    for (const key of keys) {
      if (one.keys.some((known) => known.equals(key))) continue;
      one.keys.push(key);
      options.push.subscribe(key);
      options.herald.keep(key);
    }
  }

  async function unfollow(site: string): Promise<boolean> {
    const one = running.get(site);
    if (one === undefined) return false;
    running.delete(site);
    await one.follow.stop();
    follows.remove(site);
    for (const key of one.keys) {
      if (following(key).length > 0) continue;
      options.push.unsubscribe(key);
      options.herald.drop(key);
    }
    return true;
  }
}

/** @param heard the number of the newest version that was heard of */
export function describe(
  follow: Follow,
  [newest]: HeldVersion[],
  heard: number | undefined = newest?.number,
): Followed {
  const { number: version, root: cid, bytes, taken } = newest ?? {};
  const behind = heard === undefined ? 0 : Math.max(0, heard - (version ?? 0));
  return { ...follow, version, behind, cid: cid && String(cid), bytes, taken };
}

/** The name under which a site is followed. @throws {NethoodError} BAD_ADDRESS */
export function siteOf(text: string): string {
  const address = parseAddress(text);
  if (address.namespace === "ipns" && address.path.length === 0) {
    const key = parseKey(address.root);
    return key ? nameOf(key) : address.root;
  }
  throw new NethoodError("BAD_ADDRESS", `${formatAddress(address)} is no site's name.`, {
    hint: "A whole site is followed, by its name, such as docs.example.org, or by its IPNS key.",
  });
}

/** What may be otherwise soon. */
function isPassing(error: unknown): boolean {
  return error instanceof NethoodError &&
    ["DNS_UNREACHABLE", "IPNS_NOT_FOUND", "IPNS_INVALID", "TIMEOUT", "NO_PROVIDERS", "DISK_FULL"]
      .includes(error.code);
}
