/** A personal node that only this machine can reach, in a folder that goes away with it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { multiaddr } from "@multiformats/multiaddr";
import { createNode, type Node, type NodeOptions } from "../../src/node.ts";

export interface LoopbackNode extends Node {
  /** What it told a person, a line each. */
  readonly told: readonly string[];
  /** Connects to a node, or to an address. */
  meet(other: { readonly addresses: string[] } | string): Promise<void>;
}

/** Starts one; it finds nobody by itself. With `dir` it keeps that folder. */
export async function createLoopbackNode(options: NodeOptions = {}): Promise<LoopbackNode> {
  const dir = options.dir ?? await mkdtemp(join(tmpdir(), "nethood-node-"));
  const told: string[] = [];
  const node = await createNode({
    listen: ["/ip4/127.0.0.1/tcp/0"],
    dns: ["127.0.0.1:9"],
    mdns: false,
    ...options,
    dir,
    log: (line) => told.push(line),
  });
  const stop = async () => {
    await node.stop();
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  };
  // Getters stay getters: whom a node knows changes.
  return Object.assign(Object.create(node) as Node, {
    told,
    meet: async (other: { readonly addresses: string[] } | string) => {
      const address = typeof other === "string" ? other : other.addresses[0]!;
      await node.helia.libp2p.dial(multiaddr(address));
    },
    stop,
    [Symbol.asyncDispose]: stop,
  });
}

/** Waits until something is so, looking often; what it is called is told when it never is. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  ms = 15_000,
): Promise<void> {
  for (const end = Date.now() + ms; !await isSo();) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
