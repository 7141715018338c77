/** How much that is of no use a peer may push before it is hung up on. Pure, but for a clock. */

/** What one message of each kind costs. An honest peer checks what it passes on, and so sends nothing invalid. */
const COSTS = { unasked: 1, stale: 1, invalid: 25 };

/** What a peer may spend: two hundred messages at once, and then two a second. */
const MOST = 200, PER_SECOND = 2;

/** Nothing of a peer is looked at when it has less than this left. */
const LOW = 50;

/** Peers that are remembered, most. */
const MAX_PEERS = 1_000;

export interface Patience {
  /** Whether what the peer sends is looked at. */
  has(peer: string): boolean;
  /** @returns whether there is none left */
  lose(peer: string, why: keyof typeof COSTS): boolean;
}

export function createPatience(now: () => number = () => performance.now()): Patience {
  const left = new Map<string, { amount: number; at: number }>();
  const leftFor = (peer: string) => {
    const { amount, at } = left.get(peer) ?? { amount: MOST, at: now() };
    return Math.min(MOST, amount + (now() - at) / 1000 * PER_SECOND);
  };
  return {
    has: (peer) => leftFor(peer) >= LOW,
    lose(peer, why) {
      const amount = leftFor(peer) - COSTS[why];
      left.delete(peer); // to be the last again
      if (amount <= 0) return true;
      left.set(peer, { amount, at: now() });
      if (left.size > MAX_PEERS) left.delete(left.keys().next().value!);
      return false;
    },
  };
}
