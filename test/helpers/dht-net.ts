/** A DHT on loopback: servers that hold no sites, entered through the first of them. */
import { kadDHT, passthroughMapper } from "@libp2p/kad-dht";
import { ping } from "@libp2p/ping";
import type { CID } from "multiformats/cid";
import type { DhtService } from "../../src/swarm/host.ts";
import { createLoopbackNode, type LoopbackNode } from "./loopback-node.ts";
import type { NodeOptions } from "../../src/node.ts";
import { until } from "./until.ts";

export interface DhtNet extends AsyncDisposable {
  readonly servers: readonly LoopbackNode[];
  /** What a person names to enter it. */
  readonly bootstrap: string[];
  /** A node that knows only where to enter, and answers nobody: it is met by whoever looks for what it has. */
  client(options?: NodeOptions): Promise<LoopbackNode>;
  /** The peer IDs of those who were told to have something. */
  providers(what: CID): Promise<string[]>;
  /** Waits until there are so many of them. */
  untilProvided(what: CID, providers?: number): Promise<void>;
}

/** Starts so many servers, and waits until each knows some others. */
export async function createDhtNet(size: number): Promise<DhtNet> {
  await using starting = new AsyncDisposableStack();
  const first = starting.use(await createLoopbackNode({ dht: "server" }));
  const bootstrap = [first.address];
  const others = await Promise.all(
    Array.from(
      { length: size - 1 },
      async () => starting.use(await createLoopbackNode({ bootstrap })),
    ),
  );
  const servers = [first, ...others];
  const wanted = Math.min(size - 1, 3);
  const known = () => servers.every((node) => kadOf(node).routingTable.size >= wanted);
  await until(`${size} members of a DHT`, known, 30_000);
  const providers = async (what: CID) => {
    const found = new Set<string>();
    for await (const event of kadOf(servers.at(-1)!).findProviders(what)) {
      if (event.name !== "PROVIDER") continue;
      for (const { id } of event.providers) found.add(id.toString());
    }
    return [...found];
  };
  const running = starting.move();
  return {
    servers,
    bootstrap,
    client: async (options) =>
      running.use(await createLoopbackNode({ bootstrap, dht: "client", ...options })),
    providers,
    async untilProvided(what, wanted = 1) {
      const there = async () => (await providers(what)).length >= wanted;
      await until(`${wanted} providers of ${what}`, there, 30_000);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** The DHT below a node. */
export function kadOf({ helia }: Pick<LoopbackNode, "helia">): DhtService["kad"] {
  return helia.libp2p.services.dht!.kad;
}

/** The protocol of a DHT on loopback. */
export const LAN_DHT = "/ipfs/lan/kad/1.0.0";

/** Services of a bare host with which it is a client of the DHT, as the package has it. */
export const dhtClient: Record<string, (components: never) => unknown> = {
  ping: ping(),
  dht: kadDHT({ protocol: LAN_DHT, clientMode: true, peerInfoMapper: passthroughMapper }),
};
