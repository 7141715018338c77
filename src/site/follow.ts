/**
 * One site that is followed: what its name leads to is fetched whole, and only then put in force; until then the version before
 * stays, whole and served. Older ones stay for as long as they are among the last few.
 */
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { parseAddress, parseKey } from "../content/address.ts";
import { createPauses } from "../pause.ts";
import { NethoodError } from "../errors.ts";
import type { Names } from "../name/names.ts";
import type { IpnsRecord, VersionLink } from "../name/record.ts";
import type { HeldVersion } from "../store/follows.ts";
import { createBackoff } from "./backoff.ts";

/** Most keys of which one leads to the next: as many as a site has had. */
const MAX_KEYS = 32;

/** How often others are asked, at most and at least, in milliseconds; between them the record's TTL counts. */
const MIN_POLL_MS = 500, MAX_POLL_MS = 60 * 60 * 1000;

/** The same where the name leads to content directly, and so only its TTL in the DNS counts. */
const DNS_POLL_MS = 60 * 1000;

/** How far an update has come. */
export interface FollowProgress {
  site: string;
  number: number | undefined;
  /** Bytes of what is new in it that are here, and those of them that came from others. */
  bytes: number;
  fetched: number;
  /** Bytes of the whole version, as its root claims. */
  totalBytes: number | undefined;
  peers: number;
}

/** A version that is here whole now. */
export interface Taken {
  site: string;
  /** The root of its tree. */
  cid: CID;
  number: number | undefined;
  /** Bytes of its tree, and those of them that came from others. */
  bytes: number;
  fetched: number;
  /** How many versions of it are here. */
  versions: number;
}

/** What a site's name leads to. */
export interface Target {
  root: CID;
  path: string[];
  version: VersionLink | undefined;
  /** Keys on the way, and their records. */
  keys: { key: CID; record: IpnsRecord }[];
}

/** What one site's following needs of its node. */
export interface FollowOptions {
  site: string;
  names: Pick<Names, "record" | "waiting">;
  /** The steps of the site's address, as it is resolved. */
  resolve(options: { signal: AbortSignal }): Promise<string[]>;
  /** Fetches a version and pins it; then it is in force. */
  take(target: Target, signal: AbortSignal): Promise<Taken>;
  /** Lets go what is beyond the versions that are to stay, and looks for those that should be here and are not. */
  tidy(target: Target, signal: AbortSignal): Promise<void>;
  held(): HeldVersion[];
  /** Told of the keys whose records matter. */
  attend(keys: CID[]): void;
  onTaken(taken: Taken): void;
  onTrouble(text: string): void;
}

export interface SiteFollow {
  /** Something may be newer than it was. */
  wake(): void;
  /** Others may know something newer: they are asked at once. */
  ask(): void;
  /** Looks once, now. @throws what resolving throws */
  first(): Promise<void>;
  /** Number of the newest version that was heard of. */
  readonly heard: number | undefined;
  stop(): Promise<void>;
}

export function followSite(options: FollowOptions): SiteFollow {
  const { site, names } = options;
  const over = new AbortController();
  const { signal } = over;
  const backoff = createBackoff();
  const pauses = createPauses(signal);
  let woken = false;
  /** Ends what can wait. */
  let interrupt = () => {};
  let pollAt = 0;
  /** The first key of the site, or its root, as its name led there last. */
  let start: string | undefined;
  let heard: number | undefined;
  /** Where it led when a version was taken last, if that was in this run. */
  let led: string | undefined;
  let told: string | undefined;
  const begun = Promise.withResolvers<void>();
  begun.promise.catch(() => undefined); // It may be that nobody asks.
  const running = run();

  return {
    wake,
    ask() {
      pollAt = 0;
      wake();
    },
    first: () => begun.promise,
    get heard() {
      return heard;
    },
    async stop() {
      over.abort(new NethoodError("STOPPED", "The site is followed no longer."));
      await running;
    },
  };

  function wake(): void {
    woken = true;
    interrupt();
    pauses.wake();
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      let wait: number;
      try {
        woken = false;
        wait = await look();
      } catch (error) {
        begun.reject(error);
        if (signal.aborted) return;
        wait = backoff.failed();
        trouble(error);
      }
      if (!woken) await pauses.pause(wait);
    }
  }

  /** @returns how long there is nothing to do */
  async function look(): Promise<number> {
    const asks = Date.now() >= pollAt;
    if (asks || start === undefined) {
      // Whatever comes of it, not again at once.
      pollAt = Date.now() + DNS_POLL_MS;
      start = firstStep(await options.resolve({ signal }));
    }
    const target = await find(start, asks);
    if (asks) pollAt = Date.now() + pollTime(target);
    begun.resolve();
    heard = target.version?.number;
    if (!isHeld(target)) {
      const taken = await options.take(target, signal);
      told = undefined;
      led = `${target.root}/${target.path.join("/")}`;
      options.onTaken(taken);
    }
    await tidy(target);
    backoff.worked();
    return Math.max(0, pollAt - Date.now());
  }

  /** Whatever comes meanwhile goes first. */
  async function tidy(target: Target): Promise<void> {
    if (woken) return;
    const stop = new AbortController();
    interrupt = () => stop.abort();
    try {
      await options.tidy(target, AbortSignal.any([signal, stop.signal]));
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      interrupt = () => {};
    }
  }

  /** Follows records, those first that wait, from key to key. @param asks whether others are asked for newer ones */
  async function find(from: string, asks: boolean): Promise<Target> {
    const keys: Target["keys"] = [];
    let address = parseAddress(from);
    let version: VersionLink | undefined;
    let path = address.path;
    while (address.namespace === "ipns") {
      const key = parseKey(address.root);
      if (key === undefined || keys.length >= MAX_KEYS) {
        throw new NethoodError("NAME_LOOP", `The keys of ${site} lead nowhere.`, {
          hint: "Its publisher has to mend a record on the way.",
        });
      }
      options.attend([...keys.map(({ key }) => key), key]);
      const record = await recordOf(key, asks);
      keys.push({ key, record });
      const { version: cid, number } = record;
      version = cid && number ? { cid, number } : undefined;
      address = parseAddress(record.value);
      path = [...address.path, ...path];
    }
    return { root: CID.parse(address.root), path, version, keys };
  }

  async function recordOf(key: CID, asks: boolean): Promise<IpnsRecord> {
    if (asks) {
      try {
        const record = await names.record(key, { signal });
        return names.waiting(key) ?? record;
      } catch (error) {
        // One that waits is valid, and the one before it need not be any more.
        const waiting = names.waiting(key);
        if (signal.aborted || waiting === undefined) throw error;
        return waiting;
      }
    }
    const waiting = names.waiting(key);
    if (waiting !== undefined) return waiting;
    try {
      return await names.record(key, { signal, local: true });
    } catch (error) {
      // A key that is new: the site has just moved there.
      if (!(error instanceof NethoodError && error.code === "NOT_CACHED")) throw error;
      return await names.record(key, { signal });
    }
  }

  /** Whether it is the version that is here and in force. */
  function isHeld({ root, path, version, keys }: Target): boolean {
    const [newest] = options.held();
    return newest !== undefined && newest.number === version?.number &&
      (path.length > 0 ? led === `${root}/${path.join("/")}` : newest.root.equals(root)) &&
      keys.every(({ key }) => names.waiting(key) === undefined);
  }

  function trouble(error: unknown): void {
    const { message, hint } = error as NethoodError;
    const [newest] = options.held();
    const stays = newest === undefined
      ? "It is tried again."
      : `${newest.number === undefined ? "What is here" : `Version ${newest.number}`} stays, and ` +
        "it is tried again.";
    const text = `${site}: ${message}${hint === undefined ? "" : ` ${hint}`} ${stays}`;
    if (text === told) return;
    told = text;
    options.onTrouble(text);
  }
}

/** The first step that is a key or a root: before it only the DNS has a say. */
function firstStep(chain: string[]): string {
  return chain.find((step) => {
    const { namespace, root } = parseAddress(step);
    return namespace === "ipfs" || parseKey(root) !== undefined;
  })!;
}

function pollTime({ keys }: Target): number {
  if (keys.length === 0) return DNS_POLL_MS;
  const ttl = Math.min(...keys.map(({ record }) => record.ttl)) * 1000;
  return Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, ttl));
}

/** As it is written in records and tables. */
export function nameOf(key: CID): string {
  return key.toString(base36);
}
