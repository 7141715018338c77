/** The libp2p host: who we are, where we listen, and which protocols we speak beside bitswap. */
import { loadOrCreateSelfKey } from "@libp2p/config";
import { type Fetch, fetch } from "@libp2p/fetch";
import { type Identify, identify } from "@libp2p/identify";
import { type ConnectionGater, FaultTolerance } from "@libp2p/interface";
import { mdns } from "@libp2p/mdns";
import { noise } from "@libp2p/noise";
import { type Ping, ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { webSockets } from "@libp2p/websockets";
import { yamux } from "@libp2p/yamux";
import type { Datastore } from "interface-datastore";
import type { Libp2pOptions } from "libp2p";
import { NethoodError } from "../errors.ts";

/** Every interface, ports chosen by the system: a personal node announces its addresses, nobody has to know them beforehand. */
const LISTEN = ["/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/tcp/0/ws", "/ip6/::/tcp/0"];

/** How often the local network is asked for neighbours, in milliseconds. */
const MDNS_INTERVAL_MS = 10_000;

type Services = { identify: Identify; ping: Ping; fetch: Fetch };

export type HostOptions = Libp2pOptions<Services> & { addresses: { listen: string[] } };

export async function libp2pOptions(
  options: { listen?: string[]; mdns?: boolean },
  datastore: Datastore,
  gater: ConnectionGater,
): Promise<HostOptions> {
  return {
    privateKey: await loadOrCreateSelfKey(datastore),
    addresses: { listen: options.listen ?? LISTEN },
    // A machine without IPv6 still has IPv4; but what a person asked for must work.
    transportManager: {
      faultTolerance: options.listen ? FaultTolerance.FATAL_ALL : FaultTolerance.NO_FATAL,
    },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    peerDiscovery: options.mdns === false ? [] : [mdns({ interval: MDNS_INTERVAL_MS })],
    connectionGater: gater,
    // A ping can be stuck behind blocks on a thin line; that is no reason to hang up.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    services: { identify: identify(), ping: ping(), fetch: fetch() },
  };
}

/** What kept the host from listening, as a sentence; any other error as it is. */
export function listenError(error: unknown): unknown {
  const told = error instanceof Error ? error.message : "";
  if (/EADDRINUSE|AddrInUse|address already in use/i.test(told)) {
    return new NethoodError(
      "PORT_IN_USE",
      "An address given with --listen is in use by another program.",
      {
        cause: error,
        hint: "Choose another port, or port 0 for any that is free.",
      },
    );
  }
  if (/listen/i.test(told)) {
    return new NethoodError("BAD_OPTION", "An address given with --listen cannot be listened on.", {
      cause: error,
      hint:
        "Use addresses of this machine, such as /ip4/0.0.0.0/tcp/4001 or /ip4/127.0.0.1/tcp/0/ws.",
    });
  }
  return error;
}
