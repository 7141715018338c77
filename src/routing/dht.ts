/**
 * The way to a site where there is neither tracker nor neighbour: a Kademlia DHT, entered through peers that a person named. Who
 * has a root, who follows a site, where a peer is, and records are found in it, and what this node has for others is told there.
 * Whatever it says is a hint: whom it names is dialled by peer ID, records are checked, and what is served is verified.
 */
import { multihashToIPNSRoutingKey } from "@helia/ipns";
import type { Libp2p, PeerId } from "@libp2p/interface";
import type { Multiaddr } from "@multiformats/multiaddr";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import { LIBP2P_KEY } from "../content/address.ts";
import { createPauses } from "../pause.ts";
import type { DhtService } from "../swarm/host.ts";
import { newestOf } from "./dht-records.ts";
import type { Scope } from "./dht-scope.ts";
import { topicOf } from "./push.ts";
import type { Provider } from "./tracker.ts";

/** Waits between attempts to enter it, in milliseconds; the last one repeats. */
const RETRY_MS = [500, 1_000, 2_000, 5_000, 15_000, 30_000];

/**
 * Waits between looks whether there is still somebody, in milliseconds; the last one repeats. Until a node knows as many as a full
 * bucket of the table has it looks for its own neighbours, too: those who came at the same time did not know of each other.
 */
const LOOK_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000];

/** How often it is looked whether there is somebody at last, in milliseconds. */
const ENTERED_MS = 200;

/** How long one attempt to reach a peer may take, and a lookup, in milliseconds. */
const DIAL_MS = 5_000, LOOKUP_MS = 30_000;

/** The same is not looked up again within this time, in milliseconds: a lookup is work for some twenty strangers. */
const PAUSE_MS = 10_000;

/** A record that so many peers have is taken, or what came within this time after the first, in milliseconds. */
const ENOUGH = 3, GRACE_MS = 500;

const NOBODY = "nobody of the DHT takes what it is told";

type Options = { signal: AbortSignal };

export interface Dht {
  /** Its name, where a tracker has a URL. */
  readonly origin: string;
  readonly pause: number;
  readonly oneSided: true;
  /** Who may have a block, or follows the site of an IPNS key. */
  providers(key: CID, options: Options): AsyncIterable<Provider>;
  /** The newest record of a key that is found soon, checked; undefined where there is none. */
  record(key: CID, options: Options): Promise<Uint8Array | undefined>;
  /** Hands a record to those who are nearest to its key. @throws {Error} where nobody takes it */
  putRecord(key: CID, record: Uint8Array, options: Options): Promise<void>;
  /** Tells those who are nearest to a key that it is to be had here. @throws {Error} where nobody takes it */
  provide(key: CID, options: Options): Promise<void>;
  /** That it is not told again. */
  withdraw(key: CID): Promise<void>;
  /** How many members are known. */
  members(): number;
  /** Fulfilled as soon as there is one. */
  entered(options: Options): Promise<void>;
  stop(): void;
}

/** @param bootstrap peers through which it is entered; none: others come here */
export function createDht(
  libp2p: Pick<Libp2p, "dial" | "peerId" | "logger">,
  { kad }: DhtService,
  { bootstrap, scope, log }: {
    bootstrap: Multiaddr[];
    scope: Scope;
    log: (line: string) => void;
  },
): Dht {
  const over = new AbortController();
  const debug = libp2p.logger.forComponent("nethood:dht");
  const ending = (signal: AbortSignal, ms: number) =>
    AbortSignal.any([signal, over.signal, AbortSignal.timeout(ms)]);
  const members = () => kad.routingTable.size;
  void enter();

  return {
    origin: "the DHT",
    pause: PAUSE_MS,
    oneSided: true,
    async *providers(key, { signal }) {
      const options = { signal: ending(signal, LOOKUP_MS) };
      for await (const event of kad.findProviders(await placeOf(key), options)) {
        if (event.name !== "PROVIDER") continue;
        for (const { id, multiaddrs } of event.providers) {
          const addrs = scope.within(multiaddrs);
          yield { id, addrs: addrs.length > 0 ? addrs : await addressesOf(id, options) };
        }
      }
    },
    async record(key, { signal }) {
      const enough = new AbortController();
      const found: Uint8Array[] = [];
      let grace: ReturnType<typeof setTimeout> | undefined;
      const options = { signal: AbortSignal.any([enough.signal, ending(signal, LOOKUP_MS)]) };
      try {
        for await (const event of kad.get(multihashToIPNSRoutingKey(key.multihash), options)) {
          // The best of all comes at the end, which nobody waits for.
          if (event.name !== "PEER_RESPONSE" || event.record === undefined) continue;
          found.push(event.record.value);
          if (found.length >= ENOUGH) break;
          grace ??= setTimeout(() => enough.abort(), GRACE_MS);
        }
      } catch (error) {
        if (found.length === 0) throw error;
      } finally {
        clearTimeout(grace);
      }
      return found[newestOf(found)];
    },
    async putRecord(key, record, { signal }) {
      const routingKey = multihashToIPNSRoutingKey(key.multihash);
      const events = kad.put(routingKey, record, { signal: ending(signal, LOOKUP_MS) });
      await taken(events, "PUT_VALUE");
    },
    async provide(key, { signal }) {
      const events = kad.provide(await placeOf(key), { signal: ending(signal, LOOKUP_MS) });
      await taken(events, "ADD_PROVIDER");
    },
    withdraw: async (key) => await kad.cancelReprovide(await placeOf(key)),
    members,
    async entered({ signal }) {
      const { pause } = createPauses(AbortSignal.any([signal, over.signal]));
      while (members() === 0 && !over.signal.aborted && !signal.aborted) await pause(ENTERED_MS);
      signal.throwIfAborted();
    },
    stop: () => over.abort(),
  };

  async function addressesOf(id: PeerId, options: Options): Promise<Multiaddr[]> {
    try {
      for await (const event of kad.findPeer(id, options)) {
        if (event.name === "FINAL_PEER") return scope.within(event.peer.multiaddrs);
      }
    } catch (error) {
      debug("%p is nowhere: %e", id, error);
    }
    return [];
  }

  /** Finds somebody who is in it, at the start and whenever nobody is left, and the neighbours there. */
  async function enter(): Promise<void> {
    const { pause } = createPauses(over.signal);
    const next = (waits: number[], times: number) => waits[Math.min(times, waits.length - 1)]!;
    const self = `/p2p/${libp2p.peerId}`;
    const others = bootstrap.filter((address) => !address.toString().endsWith(self));
    let failures = 0, looks = 0, told = false;
    while (!over.signal.aborted) {
      if (members() > 0) {
        [failures, told] = [0, false];
        await pause(next(LOOK_MS, looks++));
        if (members() < kad.k) await meetNeighbours();
        continue;
      }
      looks = 0;
      const reached = await Promise.all(others.map(reach));
      if (others.length > 0 && !reached.includes(true) && !told && !over.signal.aborted) {
        told = true;
        log(`Nobody of the DHT answers at ${others.join(", ")}. It is tried again.`);
      }
      await pause(next(RETRY_MS, failures++));
    }
  }

  async function meetNeighbours(): Promise<void> {
    const options = { signal: AbortSignal.any([over.signal, AbortSignal.timeout(LOOKUP_MS)]) };
    try {
      // Whoever answers is taken into the table.
      for await (const _ of kad.getClosestPeers(libp2p.peerId.toMultihash().bytes, options));
    } catch (error) {
      debug("the neighbours are not known: %e", error);
    }
  }

  async function reach(address: Multiaddr): Promise<boolean> {
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(DIAL_MS)]);
    try {
      await libp2p.dial(address, { signal });
      return true;
    } catch (error) {
      debug("%a was not reached: %e", address, error);
      return false;
    }
  }
}

/**
 * What is looked for: a block by its hash. A site by the topic on which its new records are told, in the form in which go-libp2p's
 * pubsub looks for its peers, so that a Kubo which follows the key is found, and finds us. A key's own hash is none that every
 * member would take.
 */
async function placeOf(key: CID): Promise<CID> {
  if (key.code !== LIBP2P_KEY) return key;
  const topic = new TextEncoder().encode(`floodsub:${topicOf(key)}`);
  return CID.createV1(raw.code, await sha256.digest(topic));
}

/** Waits until something was handed to all who are near. @throws {Error} where nobody took it */
async function taken(events: AsyncIterable<unknown>, message: string): Promise<void> {
  let takers = 0;
  try {
    for await (const event of events as AsyncIterable<{ name: string; messageName?: string }>) {
      if (event.name === "PEER_RESPONSE" && event.messageName === message) takers++;
    }
  } catch (cause) {
    if (takers === 0) throw new Error(NOBODY, { cause });
  }
  if (takers === 0) throw new Error(NOBODY);
}
