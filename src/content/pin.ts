/**
 * Pins: what this node has promised to keep. They are Helia's own, so that its garbage collection spares them; only the walk
 * is ours, since Helia's would read every byte of every file just to learn that a leaf has no children.
 */
import type { GraphWalkerFactory, Helia } from "@helia/interface";
import type { CID } from "multiformats/cid";
import { code as DAG_PB, decode } from "@ipld/dag-pb";
import type { Blocks } from "./blocks.ts";

type Options = { signal?: AbortSignal | undefined };

/** Pins a whole DAG whose leaves are in the store already: they are named, not read. */
export function pinAll(
  helia: Pick<Helia, "pins">,
  blocks: Blocks,
  root: CID,
  label: string,
  options: Options = {},
): Promise<void> {
  return pin(helia, blocks, root, Infinity, label, options);
}

/** Pins single blocks, without what is below them: the folders on the way to a page. */
export async function pinEach(
  helia: Pick<Helia, "pins">,
  blocks: Blocks,
  cids: CID[],
  label: string,
  options: Options = {},
): Promise<void> {
  for (const cid of cids) await pin(helia, blocks, cid, 0, label, options);
}

async function pin(
  { pins }: Pick<Helia, "pins">,
  blocks: Blocks,
  root: CID,
  depth: number,
  label: string,
  { signal }: Options,
): Promise<void> {
  const options = {
    depth,
    walker: walker(blocks),
    metadata: { address: label },
    ...(signal && { signal }),
  };
  try {
    for await (const _ of pins.add(root, options)) signal?.throwIfAborted();
  } catch (error) {
    if (!(error instanceof Error && error.name === "AlreadyPinnedError")) throw error;
    // A folder that was passed through once may be wanted whole later.
    const { depth: pinned } = await pins.get(root);
    if (pinned >= depth) return;
    for await (const _ of pins.rm(root, options)) signal?.throwIfAborted();
    await pin({ pins }, blocks, root, depth, label, { signal });
  }
}

/** Walks dag-pb nodes and names raw leaves without reading them. */
function walker(blocks: Blocks): GraphWalkerFactory {
  return () => ({
    async *walk(root, { depth: limit = Infinity, signal } = {}) {
      const seen = new Set<string>();
      const left: { cid: CID; depth: number }[] = [{ cid: root, depth: 0 }];
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const { cid, depth } = next;
        if (seen.has(cid.toString())) continue;
        seen.add(cid.toString());
        // deno-lint-ignore no-explicit-any -- pins use the CID alone; the interface asks for the decoded block too
        yield { block: { cid } as any, depth, path: [] };
        if (depth >= limit || cid.code !== DAG_PB) continue;
        const { Links } = decode(await blocks.get(cid, { signal }));
        left.push(...Links.map(({ Hash }) => ({ cid: Hash, depth: depth + 1 })));
      }
    },
  });
}
