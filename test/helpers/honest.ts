/** An honest reader in the swarm, to see whether it is served: it reads one leaf of a file after another. */
import type { FileBlocks } from "./blocks-of-file.ts";
import type { LoopbackNode } from "./loopback-node.ts";
import { createWirePeer, list, open, request, type Wire } from "./swarm-wire.ts";

export interface Honest extends AsyncDisposable {
  readonly wire: Wire;
  /** Reads the next leaf; fails where there is none left, or it does not come. */
  read(): Promise<boolean>;
}

export async function createHonest(node: LoopbackNode, file: FileBlocks): Promise<Honest> {
  const peer = await createWirePeer();
  const wire: Wire = await peer.meet(node);
  wire.say(open(file.root));
  const { group } = await wire.hearOpen(file.root);
  let next = 0;
  return {
    wire,
    async read(): Promise<boolean> {
      const index = next++ % file.leaves.length + 1;
      const from = wire.heard.length;
      if (next > file.leaves.length) throw new Error("the honest peer has everything");
      wire.say(request(0, index));
      await wire.hear("block", (frame) => frame.group === group && frame.index === index, from);
      wire.say(list("have", 0, index));
      return true;
    },
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  };
}
