/** A node on loopback, with a folder of its own that is gone when its test is over. */
import { createNode, type Node, type NodeOptions } from "../../src/node.ts";
import { createTempDir } from "./temp-dir.ts";

export interface TestNode extends Node {
  /** The address at which others reach it. */
  readonly address: string;
}

/** @param options.dir a folder that the test keeps itself, for a node that is started again. Default: a new one. */
export async function createTestNode(options: NodeOptions = {}): Promise<TestNode> {
  await using starting = new AsyncDisposableStack();
  const dir = options.dir ?? starting.use(await createTempDir()).path;
  const node = starting.use(
    await createNode({ listen: ["/ip4/127.0.0.1/tcp/0"], mdns: false, ...options, dir }),
  );
  const running = starting.move();
  return Object.defineProperties(Object.create(node), {
    address: { get: () => node.addresses[0] },
    stop: { value: () => running.disposeAsync() },
    [Symbol.asyncDispose]: { value: () => running.disposeAsync() },
  });
}

/** Waits until a node has this many neighbours. */
export async function meets(node: Node, peers: number): Promise<void> {
  while (node.peers.length < peers) await new Promise((resolve) => setTimeout(resolve, 10));
}
