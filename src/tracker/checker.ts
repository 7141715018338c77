/**
 * Finds out whether peers are where they say. A tracker that dials what strangers name could be made to scan somebody's network
 * or to flood a victim: it dials few, slowly, each place once in a while, and private networks only for those who are in one.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { type Distance, distanceTo } from "../routing/network.ts";
import type { Reach } from "../routing/reach.ts";
import type { Asker } from "./order.ts";
import type { TrackerStore } from "./store.ts";

/** Dials at once, and peers that wait for theirs; more are not checked this time. */
const AT_ONCE = 8, WAITING = 1_000;

/** Addresses of one announce that are dialled, most. */
const MAX_DIALS = 4;

/** One host, or one peer, is dialled once in this time, in milliseconds. */
const REST_MS = 60_000;

/** Proofs that are remembered, so that a peer that announces again need not be dialled again; and for how long, in milliseconds. */
const MAX_PROOFS = 20_000, PROOF_MS = 60 * 60 * 1000;

/** Hosts and peers that are remembered for that. When there are more, no more are dialled: that is the limit of the rate. */
const MAX_RESTING = 6_000;

export interface Suspect {
  id: string;
  from: Asker;
  reaches: Reach[];
}

export interface Checker {
  /** Whether a peer was met at a claimed address not long ago. */
  knows(id: string, address: string): boolean;
  /** Dials the peer when there is time for it; what it finds goes to the store. */
  check(suspect: Suspect): void;
  /** Fulfilled when nobody waits any more. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

export interface CheckerOptions {
  now: () => number;
  log: (line: string) => void;
  /** The IP addresses of a name; none where it leads nowhere now. Default: as the system has them. */
  addressesOf?: (name: string) => Promise<string[]>;
}

export function createChecker(
  dial: (address: string) => Promise<boolean>,
  store: Pick<TrackerStore, "met">,
  { now, log, addressesOf = lookUp }: CheckerOptions,
): Checker {
  const waiting: Suspect[] = [];
  const proofs = new Map<string, number>();
  let resting = new Set<string>();
  let restedAt = now();
  let running = 0;
  let over = false;
  let quiet = Promise.withResolvers<void>();

  /** Whether a host or peer may be dialled now; it may not be again for a while. */
  function isDue(name: string): boolean {
    if (now() - restedAt > REST_MS) {
      resting = new Set();
      restedAt = now();
    }
    if (resting.has(name) || resting.size >= MAX_RESTING) return false;
    resting.add(name);
    return true;
  }

  function remember(id: string, addresses: string[]): void {
    for (const address of addresses) {
      const name = `${id} ${address}`;
      proofs.delete(name);
      proofs.set(name, now());
    }
    for (const [oldest] of proofs) {
      if (proofs.size <= MAX_PROOFS) break;
      proofs.delete(oldest);
    }
  }

  async function examine({ id, from, reaches }: Suspect): Promise<void> {
    const proved: string[] = [];
    let tried = 0, met = false;
    for (const reach of reaches) {
      if (tried >= MAX_DIALS || over) break;
      const { text, host, relay } = reach;
      if (isIP(host) === 0) {
        // A name that leads to where the announce came from is the announcer's own. It is looked up, never dialled.
        if (isDue(host) && (await addressesOf(host)).includes(from.ip)) proved.push(text);
        continue;
      }
      const target = targetOf(reach, id);
      if (target === undefined || !isAllowed(distanceTo(host), from.near)) continue;
      if (!isDue(host === from.ip ? `${host} ${id}` : host)) continue;
      tried++;
      if (!await dial(target)) continue;
      // A relay that is there says nothing of the peer behind it.
      if (relay === undefined) met = true;
      if (isClaimed(reach, from)) proved.push(text);
    }
    remember(id, proved);
    const found = met || proved.length > 0;
    // Where nothing could be dialled, nothing is known.
    if (found || tried > 0) await store.met(id, now(), found ? proved : undefined);
  }

  function next(): void {
    while (running < AT_ONCE && waiting.length > 0 && !over) {
      running++;
      examine(waiting.shift()!)
        .catch((error) => log(`A peer could not be checked: ${error.message}`))
        .finally(() => {
          running--;
          next();
        });
    }
    if (running === 0 && (over || waiting.length === 0)) {
      quiet.resolve();
      quiet = Promise.withResolvers();
    }
  }

  const idle = async () => {
    if (running > 0 || waiting.length > 0) await quiet.promise;
  };
  return {
    knows: (id, address) => now() - (proofs.get(`${id} ${address}`) ?? -Infinity) < PROOF_MS,
    check(suspect) {
      if (over || waiting.length >= WAITING || suspect.reaches.length === 0) return;
      if (!isDue(suspect.id)) return;
      waiting.push(suspect);
      next();
    },
    idle,
    async stop() {
      over = true;
      waiting.length = 0;
      await idle();
    },
  };
}

/** Whether an address leads elsewhere than to where the announce came from, so that it is told to nobody before it is proved. */
export function isClaimed({ host, from, relay }: Reach, asker: Asker): boolean {
  // Who is in the tracker's own network is believed: there is no other way to know its public address.
  if (asker.near !== "world") return relay !== undefined;
  return from === "world" && (host !== asker.ip || relay !== undefined);
}

/** Nobody outside makes us knock at doors inside. */
function isAllowed(at: Distance, from: Distance): boolean {
  return at === "world" || from === "machine" || from === at;
}

/** What is dialled: the peer itself, or the relay in front of it. QUIC and WebRTC are not spoken here. */
function targetOf({ text, relay }: Reach, id: string): string | undefined {
  const own = relay === undefined ? text : text.slice(0, text.indexOf("/p2p/"));
  return /\/tcp\/\d+(\/wss?|\/tls\/ws)?$/.test(own) ? `${own}/p2p/${relay ?? id}` : undefined;
}

async function lookUp(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    return []; // A name that leads nowhere now.
  }
}
