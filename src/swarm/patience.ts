/** How long a peer may keep us waiting, and when one that did is tried again. */
import type { AskedPeer } from "./asks.ts";

/** How long a peer may send nothing more of a block that it began before others are asked too, in milliseconds. */
export const STALL_MS = 1_500;

/** The same where it has begun with nothing: it may have many to serve. */
export const PATIENCE_MS = 4_000;

/** The same for a seeder, which may hold back what the crowd can spread. */
export const SEEDER_MS = 15_000;

/** When a peer that stalled is tried again, in milliseconds; twice as long each time, up to 2^4 times. */
export const FORGIVE_MS = 1_000;
const MAX_DOUBLINGS = 4;

/** Whether a peer that was asked for something has been silent for too long. */
export function isTooSilent(peer: AskedPeer, isSeeder: boolean, now: number): boolean {
  const silence = now - peer.heard;
  if (peer.asked.size === 0 || silence <= STALL_MS) return false;
  return silence > (hasBegun(peer) ? STALL_MS : isSeeder ? SEEDER_MS : PATIENCE_MS);
}

/** Whether a peer that stalled may have recovered. */
export function mayTryAgain({ heard, stalls }: AskedPeer, now: number): boolean {
  return now - heard > FORGIVE_MS * 2 ** Math.min(stalls, MAX_DOUBLINGS);
}

function hasBegun({ asked }: AskedPeer): boolean {
  for (const { begun } of asked.values()) if (begun) return true;
  return false;
}
