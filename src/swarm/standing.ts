/**
 * What is thought of peers who keep to the frames but not to the sense of them: each offence costs points, points fade, and too
 * many of them at once end the acquaintance for a while. Pure: time is given to it.
 *
 * It outlives streams, since a new stream is had for nothing. A new peer ID is, too: standing keeps a peer from harming others
 * without end, it does not keep anybody out.
 */

/** Points at which a peer is not spoken to any more. An honest peer, with lines that break and disks that fail, has a few. */
const MOST_POINTS = 100;

/** In which half of the points are forgotten, in milliseconds: long beside a stall, short beside a visit. */
const HALF_LIFE_MS = 120_000;

/** How long a peer that was dropped may not come back, in milliseconds: it costs an attacker more than it costs us. */
export const BAR_MS = 600_000;

/** Peers that something is thought of; whoever was noticed longest ago is forgotten first. */
const MAX_PEERS = 4_096;

/** What a peer may do wrong, in points, and what is said when it did it too often. */
export const OFFENCES = {
  /** HAVE of what was LOST when it was requested. A damaged file is fetched anew: fifty of them in a row are no accident. */
  retraction: { points: 2, reason: "it takes back what it offers as soon as it is asked for it" },
  /** REQUEST for a block that was sent often enough already. Stalls and crossing messages explain a few. */
  greed: { points: 4, reason: "it asks again and again for what it was given" },
  /** REQUEST for a block that it said it has. Nothing explains it, but nothing is harmed by one. */
  contradiction: { points: 10, reason: "it asks for what it says it has" },
  /** A stall of a peer that has never given anything of what it and others offer. Five stalls take a minute. */
  silence: { points: 20, reason: "it offers, and never gives" },
  /** A new stream in place of one that stands. A line that was cut without a word explains a few. */
  restart: { points: 6, reason: "it begins anew again and again" },
} as const;

export type Offence = keyof typeof OFFENCES;

interface Standing {
  points: number;
  /** When the points were so many, in milliseconds. */
  at: number;
  barredUntil: number;
}

export class Standings {
  /** Whoever was noticed last is at the end. */
  readonly #peers = new Map<string, Standing>();

  /** @returns why the peer is not to be spoken to any more, if it is not */
  note(peer: string, offence: Offence, now: number): string | undefined {
    const standing = this.#of(peer, now);
    const { points, reason } = OFFENCES[offence];
    standing.points += points;
    return standing.points >= MOST_POINTS ? reason : undefined;
  }

  /** The peer was dropped for what it did. When it may come back, nearly all of that is forgotten. */
  bar(peer: string, now: number): void {
    this.#of(peer, now).barredUntil = now + BAR_MS;
  }

  /** How long the peer is not to be spoken to, in milliseconds; 0 for not at all. */
  barredFor(peer: string, now: number): number {
    return Math.max(0, (this.#peers.get(peer)?.barredUntil ?? 0) - now);
  }

  #of(peer: string, now: number): Standing {
    const standing = this.#peers.get(peer) ?? { points: 0, at: now, barredUntil: 0 };
    standing.points *= 0.5 ** ((now - standing.at) / HALF_LIFE_MS);
    standing.at = now;
    this.#peers.delete(peer);
    this.#peers.set(peer, standing);
    if (this.#peers.size > MAX_PEERS) this.#peers.delete(this.#peers.keys().next().value!);
    return standing;
  }
}
