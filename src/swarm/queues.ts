/** How much is asked of a peer at a time. */
import type { AskedPeer } from "./asks.ts";
import type { BlockNumber } from "./holdings.ts";

/** Blocks asked of one peer that has only a part: enough for it to choose from, few enough to be asked elsewhere in time. */
export const QUEUE = 8;

/** The same for one that has given nothing yet, or gives nothing more: words alone hold up no more than so many. */
export const STRANGER_QUEUE = 4;

/** More blocks than anybody is asked for. */
const MOST = 2 ** 31;

export function hasRoom({ asked, holder }: AskedPeer): boolean {
  return asked.size < (holder.believed ? QUEUE : STRANGER_QUEUE);
}

/**
 * Of the seeders that have a block, and did not just refuse it, the one with the least to send; who was asked for it already comes first. Who only says that
 * it is a seeder, and has given nothing yet, gets no share as one, unless all do no more than that.
 */
export function leastAsked(seeders: AskedPeer[], block: BlockNumber): AskedPeer | undefined {
  let best: AskedPeer | undefined;
  let least = Infinity;
  for (const seeder of seeders) {
    const { holder, asked, refused } = seeder;
    if (!holder.has.has(block) || refused.has(block)) continue;
    if (asked.has(block)) return seeder;
    const mayHaveMore = asked.size < STRANGER_QUEUE || holder.believed;
    const load = mayHaveMore ? asked.size : asked.size + MOST;
    if (load >= least) continue;
    best = seeder;
    least = load;
  }
  return best;
}
