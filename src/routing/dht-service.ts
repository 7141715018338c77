/**
 * The Kademlia DHT as a service of the libp2p host. Only what is wanted of it is shown to the host: with all of it, every block
 * that is read would be looked up there.
 */
import {
  type PeerDiscovery,
  peerDiscoverySymbol,
  type PeerInfo,
  type PeerRouting,
  type PeerRoutingProvider,
  peerRoutingSymbol,
  serviceDependencies,
  type Startable,
} from "@libp2p/interface";
import type { SingleKadDHT } from "@libp2p/kad-dht";
import type { DhtService, MakeDht } from "../swarm/host.ts";
import type { DhtRecords } from "./dht-records.ts";
import type { Scope } from "./dht-scope.ts";
import { DhtStore } from "./dht-store.ts";

/** A server answers others, a client only asks. */
export type DhtRole = "client" | "server";

/** What the package's class has beside its interface. */
type Kad = SingleKadDHT & Startable & PeerDiscovery & PeerRoutingProvider;

/** Loads the DHT's code: who is in none does not wait for it. */
export async function loadDht(
  { scope, role, records }: { scope: Scope; role: DhtRole; records: DhtRecords },
): Promise<MakeDht> {
  const { kadDHT } = await import("@libp2p/kad-dht");
  const within = (peer: PeerInfo) => ({ ...peer, multiaddrs: scope.within(peer.multiaddrs) });
  return (components): DhtService => {
    const { addressManager, connectionManager } = components;
    const kad = kadDHT({
      protocol: scope.protocol,
      clientMode: role === "client",
      peerInfoMapper: within,
      validators: { ipns: records.validate },
      selectors: { ipns: records.select },
    })({
      peerId: components.peerId,
      privateKey: components.privateKey,
      registrar: components.registrar,
      peerStore: components.peerStore,
      connectionManager,
      events: components.events,
      logger: components.logger,
      // By a ping the package decides who is a member: whoever only asks, or provides something, is none.
      ping: {
        async ping(peer, options) {
          const began = performance.now();
          const stream = await connectionManager.openStream(peer, scope.protocol, options);
          await stream.close(options);
          return performance.now() - began;
        },
      },
      datastore: new DhtStore(),
      // Only for what it tells of this node.
      addressManager: Object.create(addressManager, {
        getAddresses: { value: () => scope.within(addressManager.getAddresses()) },
      }),
    }) as Kad;
    const routing = kad[peerRoutingSymbol] as PeerRouting;
    // The host only listens to it, as to any target of events.
    const met = new EventTarget() as PeerDiscovery;
    kad.addEventListener("peer", ({ detail }) => {
      const peer = within(detail);
      if (peer.multiaddrs.length > 0) met.dispatchEvent(new CustomEvent("peer", { detail: peer }));
    });
    return Object.assign({ kad }, {
      start: () => kad.start(),
      stop: () => kad.stop(),
      [serviceDependencies]: ["@libp2p/identify", "@libp2p/ping"],
      // Whom its members tell of is remembered, so that they can be dialled.
      [peerDiscoverySymbol]: met,
      [peerRoutingSymbol]: {
        findPeer: async (id, options) => within(await routing.findPeer(id, options)),
        getClosestPeers: (key, options) => routing.getClosestPeers(key, options),
      } satisfies PeerRouting,
    });
  };
}
