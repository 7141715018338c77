/** A stock Helia: what others make of the same packages, without anything of ours. */
import { withBitswap } from "@helia/bitswap";
import { withLibp2pLight } from "@helia/libp2p";
import type { Helia } from "@helia/interface";
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createHelia, createHeliaLight } from "helia";

export type StockHelia = Helia & { readonly libp2p: Libp2p } & AsyncDisposable;

/** Helia as its own documentation starts it, without the public network. */
export async function createStockHelia(): Promise<StockHelia> {
  const helia = withBitswap(withLibp2pLight(createHeliaLight(), {
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  }));
  await helia.start();
  return Object.assign(helia, {
    [Symbol.asyncDispose]: async () => void await helia.stop(),
  });
}

/** The whole of Helia, as its defaults are, but for two things: a delegated router of ours, and no public peers or gateways. */
export async function createRoutedHelia(url: string): Promise<StockHelia> {
  const helia = createHelia({
    http: { delegatedRouters: [url], recursiveGateways: [] },
    libp2p: {
      addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      peerDiscovery: [],
      services: { identify: identify() },
    },
  });
  await helia.start();
  return Object.assign(helia, {
    [Symbol.asyncDispose]: async () => void await helia.stop(),
  });
}
