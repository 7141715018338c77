/** Who else has what a node reads, and who is told what it has: neighbours, trackers, and the DHT, in this order. */
import { loadOrCreateSelfKey } from "@libp2p/config";
import { multiaddr } from "@multiformats/multiaddr";
import type { Multiaddr } from "@multiformats/multiaddr";
import { NethoodError } from "./errors.ts";
import { base36 } from "multiformats/bases/base36";
import { checkRecord } from "./name/record.ts";
import type { NodeOptions } from "./node-options.ts";
import { createAnnouncer } from "./routing/announcer.ts";
import { createDht, type Dht } from "./routing/dht.ts";
import { createDhtRecords } from "./routing/dht-records.ts";
import { type Scope, scopeOf } from "./routing/dht-scope.ts";
import { loadDht } from "./routing/dht-service.ts";
import { createTelling } from "./routing/dht-telling.ts";
import { createNeighbours, type Neighbours, parsePeer } from "./routing/neighbours.ts";
import { parseTracker } from "./routing/tracker.ts";
import { createTrackers, type Trackers } from "./routing/trackers.ts";
import { createIpnsRecords } from "./store/ipns.ts";
import type { Records } from "./store/records.ts";
import type { Shares } from "./store/shares.ts";
import type { NetworkedHelia } from "./swarm/helia.ts";
import type { MakeDht } from "./swarm/host.ts";

/** Where a node looks, as far as a person said it. */
export interface Places {
  peers: Multiaddr[];
  /** URLs. */
  trackers: string[];
  /** Undefined: there is none. */
  dht: { bootstrap: Multiaddr[]; scope: Scope; role: "client" | "server" } | undefined;
}

export interface Finding extends AsyncDisposable {
  neighbours: Neighbours;
  trackers: Trackers;
  dht: Dht | undefined;
}

/** @throws {NethoodError} BAD_OPTION */
export function placesOf(
  { peers = [], trackers = [], bootstrap = [], listen = [], dht: role }: NodeOptions,
): Places {
  const entries = bootstrap.map(parsePeer);
  const scope = scopeOf([...entries, ...listen.map((text) => multiaddr(text))]);
  if (role === "client" && entries.length === 0) {
    throw new NethoodError("BAD_OPTION", "A DHT's client has to know somebody of the DHT.", {
      hint: "Name a peer of it with --bootstrap /ip4/…/p2p/….",
    });
  }
  const usual = scope.reach === "world" ? "client" : "server";
  return {
    peers: peers.map(parsePeer),
    trackers: trackers.map(parseTracker),
    dht: entries.length > 0 || role === "server"
      ? { bootstrap: entries, scope, role: role ?? usual }
      : undefined,
  };
}

/** The part of the host that speaks the DHT; undefined without one. */
export async function dhtOf(
  { dht }: Places,
  records: Records,
  keychain: () => NetworkedHelia["keychain"],
): Promise<MakeDht | undefined> {
  if (dht === undefined) return undefined;
  const store = createIpnsRecords(records);
  return await loadDht({
    ...dht,
    records: createDhtRecords({
      check: (key, record) => checkRecord(key, record, keychain()),
      known: (key) => store.get(key.toString(base36)),
    }),
  });
}

export async function createFinding(
  { libp2p, datastore }: NetworkedHelia,
  places: Places,
  { announce, shares, given, log }: {
    announce: boolean;
    shares: Shares;
    /** Bytes given to others since the start. */
    given(): number;
    log: (line: string) => void;
  },
): Promise<Finding> {
  await using starting = new AsyncDisposableStack();
  const neighbours = starting.adopt(
    createNeighbours(libp2p, { peers: places.peers, log }),
    (neighbours) => neighbours.stop(),
  );
  const { dht: service } = libp2p.services;
  const dht = service && places.dht &&
    starting.adopt(createDht(libp2p, service, { ...places.dht, log }), (dht) => dht.stop());
  const trackers = starting.adopt(
    createTrackers(libp2p, {
      urls: places.trackers,
      key: await loadOrCreateSelfKey(datastore),
      held: announce ? shares.held : undefined,
      given,
      log,
      dht,
    }),
    (trackers) => trackers.stop(),
  );
  const announcer = dht && announce
    ? starting.adopt(
      createAnnouncer(createTelling(dht), {
        held: () => ({ seeds: shares.chosen(), reads: [] }),
        addrs: () => libp2p.getMultiaddrs().map(String),
        given,
        log,
        who: "The DHT",
      }),
      (announcer) => announcer.stop(),
    )
    : undefined;
  const changed = () => {
    trackers.changed();
    announcer?.changed();
  };
  shares.watch(changed);
  libp2p.addEventListener("self:peer:update", changed);
  const running = starting.move();
  return { neighbours, trackers, dht, [Symbol.asyncDispose]: () => running.disposeAsync() };
}
