/** A gateway in front of a node that holds just the blocks that a test put there. */
import { createGateway } from "../../gateway/app.ts";
import type { NodeOptions } from "../../src/node.ts";
import { createMemoryBlocks, type MemoryBlocks } from "./memory-blocks.ts";
import { createLoopbackNode, type LoopbackNode } from "./loopback-node.ts";

export interface Shelf extends AsyncDisposable {
  node: LoopbackNode;
  app: ReturnType<typeof createGateway>;
  /** Blocks in the making. */
  blocks: MemoryBlocks;
  /** What the gateway logged. */
  log: string[];
  /** Puts what was made so far into the node, but for what `missing` names. */
  stock(missing?: string[]): Promise<void>;
  /** Asks the path gateway, as a server would, but without a socket. */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

export async function createShelf(options: NodeOptions = {}): Promise<Shelf> {
  const node = await createLoopbackNode({ timeout: 200, ...options });
  const blocks = createMemoryBlocks();
  const log: string[] = [];
  const app = createGateway(node, { log: (line) => log.push(line) });
  return {
    node,
    app,
    blocks,
    log,
    async stock(missing = []) {
      for await (const { cid, bytes } of blocks.store.getAll()) {
        if (!missing.includes(String(cid))) await node.helia.blockstore.put(cid, bytes);
      }
    },
    ask: async (path, init) => await app.fetch(new Request(`http://127.0.0.1${path}`, init)),
    [Symbol.asyncDispose]: () => node.stop(),
  };
}
