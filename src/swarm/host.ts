/** The libp2p host: who we are, where we listen, and which protocols we speak beside bitswap. */
import { loadOrCreateSelfKey } from "@libp2p/config";
import { type Fetch, fetch } from "@libp2p/fetch";
import { type Identify, identify } from "@libp2p/identify";
import { type ConnectionGater, FaultTolerance, type Libp2p } from "@libp2p/interface";
import { mdns } from "@libp2p/mdns";
import { noise } from "@libp2p/noise";
import { type Ping, ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { webRTCDirect } from "@libp2p/webrtc";
import { webSockets } from "@libp2p/websockets";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import type { Datastore } from "interface-datastore";
import type { Libp2pOptions } from "libp2p";
import { NethoodError } from "../errors.ts";

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

type Services = { identify: Identify; ping: Ping; fetch: Fetch };

export type Host = Libp2p<Services>;

export interface HostSettings {
  /** Multiaddrs to listen on. Default: {@link LISTEN}; an empty list listens nowhere. */
  listen?: string[];
  /** Default: true. */
  mdns?: boolean;
}

export async function libp2pOptions(
  { listen, mdns: discover = true }: HostSettings,
  datastore: Datastore,
  connectionGater: ConnectionGater,
): Promise<Libp2pOptions<Services>> {
  return {
    // Kept in the datastore: the same peer at every start.
    privateKey: await loadOrCreateSelfKey(datastore),
    addresses: { listen: listen ?? LISTEN },
    // A machine without IPv6 still has IPv4; but what a person asked for must work.
    transportManager: {
      faultTolerance: listen ? FaultTolerance.FATAL_ALL : FaultTolerance.NO_FATAL,
    },
    transports: [tcp(), webSockets(), webRTCDirect()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    peerDiscovery: discover ? [mdns({ interval: MDNS_INTERVAL_MS })] : [],
    connectionGater,
    // A ping can be stuck behind blocks on a thin line; that is no reason to hang up.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    services: { identify: identify(), ping: ping(), fetch: fetch() },
  };
}

const LISTEN_HINT =
  "Use addresses of this machine, such as /ip4/0.0.0.0/tcp/4001 or /ip4/127.0.0.1/tcp/0/ws.";

/** @throws {NethoodError} BAD_OPTION for an address to listen on that is none */
export function parseListen(text: string): void {
  let cause: unknown;
  try {
    if (multiaddr(text).getComponents().some(({ name }) => name === "tcp" || name === "udp")) {
      return;
    }
  } catch (error) {
    cause = error;
  }
  throw new NethoodError("BAD_OPTION", `"${text}" is not an address to listen on.`, {
    cause,
    hint: LISTEN_HINT,
  });
}

/** What kept the host from listening, as a sentence; any other error as it is. */
export function listenError(error: unknown): unknown {
  const told = error instanceof Error ? error.message : "";
  if (/EADDRINUSE|address already in use/i.test(told)) {
    return new NethoodError(
      "PORT_IN_USE",
      "An address given with --listen is in use by another program.",
      { cause: error, hint: "Choose another port, or port 0 for any that is free." },
    );
  }
  if (/listen/i.test(told)) {
    return new NethoodError("BAD_OPTION", "An address given with --listen cannot be listened on.", {
      cause: error,
      hint: LISTEN_HINT,
    });
  }
  return error;
}
