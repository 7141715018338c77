/** A libp2p host on loopback that speaks no protocol of ours yet. */
import { identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";

/** What a peer ID is to be, beside another one. */
export type Chosen = { below: string } | { above: string };

export async function createBareHost(
  { listen = "/ip4/127.0.0.1/tcp/0", id, services = {} }: {
    listen?: string | undefined;
    id?: Chosen | undefined;
    /** What it speaks beside identify. Default: nothing. */
    services?: Record<string, (components: never) => unknown>;
  } = {},
): Promise<Libp2p> {
  for (;;) {
    const libp2p = await createLibp2p({
      start: false,
      addresses: { listen: [listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), ...services },
    });
    const own = libp2p.peerId.toString();
    if (id !== undefined && ("below" in id ? own > id.below : own < id.above)) continue;
    await libp2p.start();
    return libp2p;
  }
}
