/** How often somebody may ask: a bucket of tokens for each network, which fills again at a steady rate. */

/** Networks that are remembered, most; the one that asked longest ago has a full bucket again, or is forgiven. */
const MAX_NETWORKS = 50_000;

export interface Rate {
  /** Requests at once. Default: 400: a school that opens a site. */
  burst?: number;
  /** Requests a second from then on. Default: 40. */
  perSecond?: number;
}

export interface Limiter {
  /** Takes so many tokens; returns 0, or the seconds after which there will be enough. */
  take(network: string, tokens?: number): number;
}

export function createLimiter({ burst = 400, perSecond = 40 }: Rate, now: () => number): Limiter {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(network, tokens = 1) {
      const at = now();
      const bucket = buckets.get(network) ?? { tokens: burst, at };
      buckets.delete(network); // To the end: the first in line is the one that was quiet the longest.
      buckets.set(network, bucket);
      const earned = Math.max(0, at - bucket.at) / 1000 * perSecond;
      bucket.tokens = Math.min(burst, bucket.tokens + earned);
      bucket.at = at;
      if (buckets.size > MAX_NETWORKS) buckets.delete(buckets.keys().next().value!);
      if (bucket.tokens >= tokens) {
        bucket.tokens -= tokens;
        return 0;
      }
      return Math.max(1, Math.ceil((tokens - bucket.tokens) / perSecond));
    },
  };
}
