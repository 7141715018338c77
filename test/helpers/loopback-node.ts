/** A personal node that only this machine can reach, in a folder that goes away with it. */
import { multiaddr } from "@multiformats/multiaddr";
import { createNode, type Node, type NodeOptions } from "../../src/node.ts";
import { createFolder } from "./folder.ts";
import { until } from "./until.ts";

export interface LoopbackNode extends Node {
  /** What it told a person, a line each. */
  readonly told: readonly string[];
  /** The address at which others reach it. */
  readonly address: string;
  /** Connects to a node, or to an address. */
  meet(other: { readonly addresses: string[] } | string): Promise<void>;
}

/** Starts one; it finds nobody by itself. With `dir` it keeps that folder. */
export async function createLoopbackNode(options: NodeOptions = {}): Promise<LoopbackNode> {
  await using starting = new AsyncDisposableStack();
  const dir = options.dir ?? starting.use(await createFolder()).path;
  const told: string[] = [];
  const node = await createNode({
    listen: ["/ip4/127.0.0.1/tcp/0"],
    dns: ["127.0.0.1:9"],
    mdns: false,
    ...options,
    dir,
    log: (line) => told.push(line),
  });
  const folder = starting.move();
  const stop = async () => {
    await node.stop();
    await folder.disposeAsync();
  };
  // Getters stay getters: whom a node knows changes.
  return Object.defineProperties(Object.create(node), {
    told: { value: told },
    address: { get: () => node.addresses[0] },
    meet: {
      value: async (other: { readonly addresses: string[] } | string) => {
        const address = typeof other === "string" ? other : other.addresses[0]!;
        await node.helia.libp2p.dial(multiaddr(address));
      },
    },
    stop: { value: stop },
    [Symbol.asyncDispose]: { value: stop },
  });
}

/** Waits until a node has this many neighbours. */
export async function untilPeers(node: Node, peers: number): Promise<void> {
  await until(`${peers} neighbours`, () => node.peers.length >= peers);
}
