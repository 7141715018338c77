/** The libp2p host: who we are, where we listen, and which protocols we speak beside bitswap. */
import { networkInterfaces } from "node:os";
import { loadOrCreateSelfKey } from "@libp2p/config";
import { type Fetch, fetch } from "@libp2p/fetch";
import { type GossipSub, gossipsub } from "@libp2p/gossipsub";
import { type Identify, identify } from "@libp2p/identify";
import {
  type ConnectionGater,
  FaultTolerance,
  type Libp2p,
  type PeerDiscovery,
  type PeerInfo,
} from "@libp2p/interface";
import type { KadDHTComponents, SingleKadDHT } from "@libp2p/kad-dht";
import { mdns } from "@libp2p/mdns";
import { noise } from "@libp2p/noise";
import { type Ping, ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { webSockets } from "@libp2p/websockets";
import { yamux } from "@libp2p/yamux";
import type { Datastore } from "interface-datastore";
import type { Libp2pOptions } from "libp2p";
import { packed } from "./packets.ts";
import { type Caps, throttled, windowFor } from "./throttle.ts";

/**
 * Every interface, ports chosen by the system: a personal node announces its addresses, nobody has to know them beforehand.
 * WebSockets and WebRTC-direct are for browsers.
 */
const LISTEN = [
  "/ip4/0.0.0.0/tcp/0",
  "/ip4/0.0.0.0/tcp/0/ws",
  "/ip4/0.0.0.0/udp/0/webrtc-direct",
  "/ip6/::/tcp/0",
];

/** How often the local network is asked for neighbours, in milliseconds. */
const MDNS_INTERVAL_MS = 10_000;

/** How long a peer that was met is remembered, in milliseconds: over a holiday. libp2p's own measure is an hour. */
const REMEMBERED_MS = 30 * 24 * 3_600_000;

/** Tells of a peer whenever it is heard of on the local network, not only the first time as libp2p's own event does. */
export type Lan = PeerDiscovery & {
  /** Whom it told of so far, while the host was starting and nobody listened yet. To be asked once. */
  early(): Iterable<PeerInfo>;
};

/** A message of gossipsub that is larger is not read, in bytes: an IPNS record has at most 10 KiB (ipns-record, "Record Size"). */
const MAX_MESSAGE = 16 * 1024;

/** A DHT that the host is in. */
export interface DhtService {
  readonly kad: SingleKadDHT;
}

export type MakeDht = (components: KadDHTComponents) => DhtService;

type Services = {
  identify: Identify;
  ping: Ping;
  fetch: Fetch;
  pubsub?: GossipSub;
  mdns?: Lan;
  dht?: DhtService;
};

export type Host = Libp2p<Services>;

export type Transports = NonNullable<Libp2pOptions["transports"]>;

/** Brings in WebRTC, whose native module is not there for every platform. */
export type LoadWebRtc = () => Promise<Pick<typeof import("@libp2p/webrtc"), "webRTCDirect">>;

export interface HostSettings extends Caps {
  /** Multiaddrs to listen on. Default: {@link LISTEN}; an empty list listens nowhere. */
  listen?: string[];
  /** Default: true. */
  mdns?: boolean;
  /** Whether new records of names are pushed to those who follow them. Default: true. */
  push?: boolean;
  /** Default: no DHT. */
  makeDht?: MakeDht | undefined;
}

/** TCP and WebSockets always, WebRTC-direct where it works. */
export async function loadTransports(
  loadWebRtc: LoadWebRtc,
  log: (line: string) => void,
): Promise<Transports> {
  const always = [tcp(), webSockets()];
  try {
    const { webRTCDirect } = await loadWebRtc();
    return [...always, webRTCDirect()];
  } catch (error) {
    log(`WebRTC does not work here, browsers have to use WebSockets: ${sentence(error)}`);
    return always;
  }
}

/**
 * Where no interface is up, not even loopback, nobody comes by WebRTC; and its library would now and then not end any more, since
 * it wakes its own thread by a packet to itself.
 */
function usual(): string[] {
  const alone = Object.keys(networkInterfaces()).length === 0;
  return alone ? LISTEN.filter((address) => !address.endsWith("/webrtc-direct")) : LISTEN;
}

export async function libp2pOptions(
  { listen, mdns: discover = true, push = true, makeDht, upload, download }: HostSettings,
  datastore: Datastore,
  connectionGater: ConnectionGater,
  transports: Transports,
): Promise<Libp2pOptions<Services>> {
  return {
    // Kept in the datastore: the same peer at every start.
    privateKey: await loadOrCreateSelfKey(datastore),
    addresses: { listen: listen ?? usual() },
    // A machine without IPv6 still has IPv4; but what a person asked for must work.
    transportManager: {
      faultTolerance: listen ? FaultTolerance.FATAL_ALL : FaultTolerance.NO_FATAL,
    },
    transports,
    connectionEncrypters: [throttled(packed(noise()), { upload, download })],
    streamMuxers: [
      yamux({ streamOptions: { maxStreamWindowSize: windowFor({ download }) } }),
    ],
    connectionGater,
    peerStore: { maxAddressAge: REMEMBERED_MS, maxPeerAge: REMEMBERED_MS },
    // A ping can be stuck behind blocks on a thin line; that is no reason to hang up.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    services: {
      identify: identify(),
      ping: ping(),
      fetch: fetch(),
      ...(push ? { pubsub } : {}),
      // A service, and not an anonymous discovery, because it is listened to.
      ...(discover ? { mdns: lan } : {}),
      ...(makeDht ? { dht: makeDht } : {}),
    },
  };
}

/** As Kubo's, so that its followers hear of our records, and we of theirs. */
const pubsub: (components: Parameters<ReturnType<typeof gossipsub>>[0]) => GossipSub = gossipsub({
  fallbackToFloodsub: false,
  allowPublishToZeroTopicPeers: true,
  // A record that is published a second time, as it is, is no failure.
  ignoreDuplicatePublishError: true,
  // To tag peers is to write to the disk for every one of them.
  tagMeshPeers: false,
  maxInboundDataLength: MAX_MESSAGE,
});

function lan(components: Parameters<ReturnType<typeof mdns>>[0]): Lan {
  const discovery = mdns({ interval: MDNS_INTERVAL_MS })(components);
  const told = new Map<string, PeerInfo>();
  const keep = ({ detail }: CustomEvent<PeerInfo>) => void told.set(detail.id.toString(), detail);
  discovery.addEventListener("peer", keep);
  const early = () => {
    discovery.removeEventListener("peer", keep);
    return told.values();
  };
  return Object.assign(discovery, { early });
}

function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
