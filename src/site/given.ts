/** How many bytes of each site were given to others since the node started. */
import type { CID } from "multiformats/cid";
import type { Supply } from "../content/blocks.ts";
import { canLink } from "../content/document.ts";
import { gather } from "../content/gather.ts";

/** Blocks that are counted, most: of a node that gives more than that, the rest is not told. */
const MAX_BLOCKS = 200_000;

export interface Given {
  /** A block was given to somebody. */
  gave(cid: CID, bytes: number): void;
  /** Bytes of blocks below these roots. Only folders, and nodes of files, are read for it. */
  of(roots: CID[], blocks: Supply): Promise<number>;
}

export function createGiven(): Given {
  const counts = new Map<string, number>();
  return {
    gave(cid, bytes) {
      const key = cid.toString();
      const before = counts.get(key);
      if (before === undefined && counts.size >= MAX_BLOCKS) return;
      counts.set(key, (before ?? 0) + bytes);
    },
    async of(roots, blocks) {
      if (counts.size === 0) return 0;
      let bytes = 0;
      const seen = new Set<string>();
      // A leaf is not read to be counted, nor what another version had.
      const skip = (cid: CID): Promise<boolean> => {
        const key = cid.toString();
        if (seen.has(key)) return Promise.resolve(true);
        seen.add(key);
        bytes += counts.get(key) ?? 0;
        return Promise.resolve(!canLink(cid));
      };
      for (const root of roots) for await (const _ of gather(blocks, root, { local: true, skip }));
      return bytes;
    },
  };
}
