/** How long a peer may keep us waiting, and when one that did is tried again. */
import type { AskedPeer } from "./asks.ts";

/** How long a peer may send nothing more of a block that it began before others are asked too, in milliseconds. */
export const STALL_MS = 1_500;

/**
 * The same where it has begun with nothing, as the time of so many blocks, but at least so many milliseconds: it may have as many
 * to serve as a node has neighbours. To be taken for stalled while one is only busy makes others ask with more weight.
 */
const PATIENCE = { blocks: 50, ms: 4_000 };

/** The same for a seeder, which may hold back what the crowd can spread. */
const SEEDER = { blocks: 150, ms: 15_000 };

/** The same for who was told that nobody else holds us up: that goes first everywhere (uploads.ts). */
const HELD_UP = { blocks: 8, ms: 4_000 };

/** When a peer that stalled is tried again, in milliseconds; twice as long each time, up to 2^4 times. */
export const FORGIVE_MS = 1_000;
const MAX_DOUBLINGS = 4;

/**
 * Whether a peer that was asked for something has been silent for too long.
 *
 * @param usual how long a block takes, in milliseconds
 */
export function isTooSilent(peer: AskedPeer, usual: number, now: number): boolean {
  const silence = now - peer.heard;
  if (peer.asked.size === 0 || silence <= STALL_MS) return false;
  const asks = [...peer.asked.values()];
  if (asks.some(({ begun }) => begun !== undefined)) return true;
  const heldUp = asks.some(({ level }) => level === 2);
  const { blocks, ms } = heldUp ? HELD_UP : peer.holder.seeder ? SEEDER : PATIENCE;
  return silence > Math.max(ms, blocks * usual);
}

/** Whether a peer that stalled may have recovered. */
export function mayTryAgain({ heard, stalls }: AskedPeer, now: number): boolean {
  return now - heard > FORGIVE_MS * 2 ** Math.min(stalls, MAX_DOUBLINGS);
}
