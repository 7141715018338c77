/**
 * Asks who may have something, and dials whoever is named. It is all a hint: a source that is down, slow, or lies delays nobody,
 * since reads go on with the peers that there are.
 */
import type { Libp2p } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import { talking } from "./neighbours.ts";
import type { Provider } from "./tracker.ts";

/** The same thing is not looked up again within this time, in milliseconds, where the source does not say. */
const AGAIN_MS = 5_000;

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
  /** It is not asked the same again within this time, in milliseconds. */
  readonly pause?: number;
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
  /** When what was looked up where. */
  const asked = new Map<string, number>();
  return { lookUp, reach, stop: () => over.abort() };

  async function lookUp(source: Source, key: CID): Promise<void> {
    const what = `${source.origin} ${key}`;
    const now = Date.now();
    const pause = source.pause ?? AGAIN_MS;
    if (now - (asked.get(what) ?? -Infinity) < pause || over.signal.aborted) return;
    if (asked.size >= MAX_ASKED) asked.clear();
    asked.set(what, now);
    try {
      await dialAll(source.providers(key, over));
    } catch (error) {
      // An announcer tells when a tracker is away; here it is one source among others.
      log("%s: %e", what, error);
    }
  }

  /** Dials as they come: a tracker says first who is nearest. */
  async function dialAll(providers: AsyncIterable<Provider>): Promise<void> {
    const dialling = new Set<Promise<void>>();
    let dialled = 0;
    for await (const provider of providers) {
      if (talking(libp2p) >= MAX_PEERS) break;
      if (provider.id.equals(libp2p.peerId) || provider.addrs.length === 0) continue;
      if (libp2p.getPeers().some((peer) => peer.equals(provider.id))) continue;
      const work: Promise<void> = dial(provider).finally(() => dialling.delete(work));
      dialling.add(work);
      if (++dialled >= MAX_DIALLED) break;
      if (dialling.size >= AT_ONCE) await Promise.race(dialling);
    }
    await Promise.all(dialling);
  }

  function dial({ id, addrs }: Provider): Promise<void> {
    const end = `/p2p/${id}`;
    const whole = addrs.map((address) =>
      address.toString().endsWith(end) ? address : address.encapsulate(end)
    );
    return reach(String(id), whole);
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
