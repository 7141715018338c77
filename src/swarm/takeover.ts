/** What a peer that has nothing to send does for the others. */
import type { AskedPeer, Asks } from "./asks.ts";
import { Bits, someCommon } from "./bits.ts";
import type { BlockNumber } from "./holdings.ts";

/** The first blocks of a queue are not taken over before they are late: they may be on their way (uploads.ts, PIPELINE). */
const UNDERWAY = 2;

/**
 * A block that was queued for longer than this, in milliseconds, and than so many blocks take, is late. Less, and blocks would be
 * moved from queue to queue before their turn came.
 */
export const LATE_MS = 1_000;
const LATE_TIMES = 10;

/** A block that takes longer than this from its first bytes on, in milliseconds, and than so many others, is slow. */
export const SLOW_MS = 3_000;
const SLOW_TIMES = 4;

/** Blocks that are looked at. */
const SAMPLE = 64;

/**
 * Half of the longest queue; or else a block that is late, or else one that is slow.
 *
 * @param has what the idle peer has
 * @param from where to begin to look, by chance
 */
export function takeOver(asks: Asks, has: Bits, now: number, from: number): BlockNumber[] {
  if (asks.single.size === 0) return [];
  let longest: AskedPeer | undefined, late: BlockNumber | undefined, slow: BlockNumber | undefined;
  const { lateAt, slowAt } = limits(asks, now);
  let seen = 0;
  someCommon(has, asks.single, from, (block) => {
    const { peer, begun, at } = asks.of(block)[0]!;
    if (begun !== undefined) {
      if (begun <= slowAt) slow = block;
    } else {
      if (at <= lateAt) late = block;
      if (peer.asked.size > (longest?.asked.size ?? UNDERWAY)) longest = peer;
    }
    return ++seen >= SAMPLE;
  });
  if (longest === undefined) return [late ?? slow ?? []].flat();
  const queued = [...longest.asked].slice(UNDERWAY).filter(([block, { begun }]) =>
    begun === undefined && has.has(block) && asks.single.has(block)
  );
  // Its last ones, for which it would take longest.
  return queued.slice(-Math.ceil(longest.asked.size / 2)).map(([block]) => block);
}

/** What an idle peer would take over if it had it: it is cheaper to know what that is than to look with every one. */
export function worthTaking(asks: Asks, now: number): Bits {
  const worth = new Bits();
  if (asks.single.size === 0) return worth;
  const { lateAt, slowAt } = limits(asks, now);
  for (const { asked } of asks.peers.values()) {
    const isLong = asked.size > UNDERWAY;
    for (const [block, { begun, at }] of asked) {
      const isWorth = begun !== undefined ? begun <= slowAt : isLong || at <= lateAt;
      if (isWorth && asks.single.has(block)) worth.add(block);
    }
  }
  return worth;
}

/** What was asked before the first is late, what was begun before the second is slow. */
function limits({ usual }: Asks, now: number): { lateAt: number; slowAt: number } {
  return {
    lateAt: now - Math.max(LATE_MS, LATE_TIMES * usual),
    slowAt: now - Math.max(SLOW_MS, SLOW_TIMES * usual),
  };
}
