/** The Helia node below: stores in, network out, bitswap spoken with every IPFS node there is. */
import { withBitswap } from "@helia/bitswap";
import type { Helia } from "@helia/interface";
import { withLibp2pLight } from "@helia/libp2p";
import type { PeerId } from "@libp2p/interface";
import { createHeliaLight } from "helia";
import type { Blockstore } from "interface-blockstore";
import type { Datastore } from "interface-datastore";
import { sha512 } from "multiformats/hashes/sha2";
import { createGuard, type Guard } from "./guard.ts";
import {
  type Host,
  type HostSettings,
  libp2pOptions,
  loadTransports,
  type LoadWebRtc,
} from "./host.ts";
import { checkAddress, checkListening, listenError } from "./listen.ts";

export type NetworkedHelia = Helia & { readonly libp2p: Host };

/** Helia, and what keeps it from peers that lie. */
export interface Started {
  helia: NetworkedHelia;
  guard: Guard;
}

/**
 * Starts Helia without what it brings by default: public gateways, public routers and relays. A personal node asks neighbours.
 *
 * @throws {NethoodError} PORT_IN_USE, BAD_OPTION
 */
export async function startHelia(
  stores: { blockstore: Blockstore; datastore: Datastore },
  settings: HostSettings,
  log: (line: string) => void,
  loadWebRtc: LoadWebRtc = () => import("@libp2p/webrtc"),
): Promise<Started> {
  const { listen = [] } = settings;
  listen.forEach(checkAddress);
  const guard = createGuard((peer: PeerId, why) => {
    log(`${peer} is not asked any more: ${why}`);
    // At once: a liar is not waited for to say goodbye.
    for (const connection of helia.libp2p.getConnections(peer)) connection.abort(new Error(why));
  });
  const transports = await loadTransports(loadWebRtc, log);
  const host = await libp2pOptions(settings, stores.datastore, guard.gater, transports);
  const light = withoutChannels(() =>
    createHeliaLight({ ...stores, blockBrokers: [guard.broker], hashers: [sha512] })
  );
  const helia = withBitswap(withLibp2pLight(light, host));
  try {
    await helia.start();
    checkListening(listen, helia.libp2p.getMultiaddrs().map(String));
  } catch (error) {
    const [stopped] = await Promise.allSettled([helia.stop()]);
    // Half started, it may not stop; why it did not start is what a person can mend.
    if (stopped.status === "rejected") log(`The network did not stop: ${stopped.reason}`);
    throw await listenError(error, listen);
  }
  guard.watch(helia);
  return { helia, guard };
}

/**
 * Helia's lock opens a BroadcastChannel to share itself with worker threads. There are none here, and Deno does not end a
 * program while a channel is open: it is closed at once.
 */
function withoutChannels<T>(make: () => T): T {
  const Channel = globalThis.BroadcastChannel;
  globalThis.BroadcastChannel = class extends Channel {
    constructor(name: string) {
      super(name);
      this.close();
    }
  };
  try {
    return make();
  } finally {
    globalThis.BroadcastChannel = Channel;
  }
}
