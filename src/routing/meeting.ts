/**
 * Asks who may have something, and dials whoever is named. It is all a hint: a source that is down, slow, or lies delays nobody,
 * since reads go on with the peers that there are.
 */
import type { Libp2p } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import { createPauses } from "../pause.ts";
import { talking } from "./neighbours.ts";
import type { Provider } from "./tracker.ts";

/**
 * How soon the same thing is looked up again while it is read, in milliseconds; the last one repeats. Of those who come in one
 * moment nobody is known there yet when they look first.
 */
const AGAIN_MS = [500, 1_000, 2_000, 5_000];

/** After such a time, in milliseconds, it is as if it had never been looked up. */
const FORGOTTEN_MS = 60_000;

/** How long one of two who may hear of each other at the same time leaves it to the other to dial, in milliseconds. */
const COURTESY_MS = 1_000;

/** Lookups that are remembered for that, most. */
const MAX_ASKED = 1_000;

/** Peers that are dialled for one lookup at one source: most, at once, and how long each may take in milliseconds. */
const MAX_DIALLED = 24, AT_ONCE = 8, DIAL_MS = 5_000;

/** With more peers than this nobody else is looked for. */
const MAX_PEERS = 100;

/** Who knows who has what: a tracker, or the DHT. */
export interface Source {
  /** Its name. */
  readonly origin: string;
  /** It is not asked the same again within this time, in milliseconds. Default: seconds, more each time. */
  readonly pause?: number;
  /** Whom it names does not hear of us by it. Default: may do so. */
  readonly oneSided?: boolean;
  providers(key: CID, options: { signal: AbortSignal }): AsyncIterable<Provider>;
}

export interface Meeting {
  /** Asks a source for who has something, and connects to them. */
  lookUp(source: Source, key: CID): Promise<void>;
  /** Connects to somebody. */
  reach(name: string, to: Multiaddr | Multiaddr[]): Promise<void>;
  stop(): void;
}

export function createMeeting(
  libp2p: Pick<Libp2p, "dial" | "getPeers" | "getConnections" | "peerId" | "logger">,
): Meeting {
  const over = new AbortController();
  const log = libp2p.logger.forComponent("nethood:meeting");
  /** When what was looked up where last, and how many times in a row. */
  const asked = new Map<string, { at: number; times: number }>();
  return { lookUp, reach, stop: () => over.abort() };

  async function lookUp(source: Source, key: CID): Promise<void> {
    const what = `${source.origin} ${key}`;
    const now = Date.now();
    const { at, times } = asked.get(what) ?? { at: -Infinity, times: 0 };
    const wait = source.pause ?? AGAIN_MS[Math.min(times, AGAIN_MS.length) - 1] ?? 0;
    if (now - at < wait || over.signal.aborted) return;
    if (asked.size >= MAX_ASKED) asked.clear();
    asked.set(what, { at: now, times: now - at > FORGOTTEN_MS ? 1 : times + 1 });
    try {
      await dialAll(source.providers(key, over), source.oneSided);
    } catch (error) {
      // An announcer tells when a tracker is away; here it is one source among others.
      log("%s: %e", what, error);
    }
  }

  /** Dials as they come: a tracker says first who is nearest. */
  async function dialAll(providers: AsyncIterable<Provider>, oneSided = false): Promise<void> {
    const dialling = new Set<Promise<void>>();
    let dialled = 0;
    for await (const provider of providers) {
      if (talking(libp2p) >= MAX_PEERS) break;
      if (provider.id.equals(libp2p.peerId) || provider.addrs.length === 0) continue;
      if (libp2p.getPeers().some((peer) => peer.equals(provider.id))) continue;
      const work: Promise<void> = dial(provider, oneSided).finally(() => dialling.delete(work));
      dialling.add(work);
      if (++dialled >= MAX_DIALLED) break;
      if (dialling.size >= AT_ONCE) await Promise.race(dialling);
    }
    await Promise.all(dialling);
  }

  async function dial({ id, addrs }: Provider, oneSided: boolean): Promise<void> {
    // Nobody is dialled later by who has nobody. In a crowd every second handshake would be for nothing.
    if (!oneSided && libp2p.getPeers().length > 0 && String(libp2p.peerId) > String(id)) {
      await createPauses(over.signal).pause(COURTESY_MS);
      if (libp2p.getPeers().some((peer) => peer.equals(id))) return;
    }
    const end = `/p2p/${id}`;
    const whole = addrs.map((address) =>
      address.toString().endsWith(end) ? address : address.encapsulate(end)
    );
    await reach(String(id), whole);
  }

  async function reach(name: string, to: Multiaddr | Multiaddr[]): Promise<void> {
    if (over.signal.aborted) return;
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(DIAL_MS)]);
    try {
      await libp2p.dial(to, { signal });
    } catch (error) {
      // It went home, or never was there: ordinary, and no concern of the reader.
      log("%s was not reached: %e", name, error);
    }
  }
}
