/** A peer that asks us for blocks: what it asks for, and what is on its way to it. */
import { Bits } from "./bits.ts";
import type { Level } from "./frame.ts";
import type { BlockNumber, PeerNumber } from "./holdings.ts";

/** Blocks that may be on the way to one peer however small its share is: one that it receives, one that follows. */
export const PIPELINE = 2;

export interface Sending {
  bytes: number;
  at: number;
}

export interface Client {
  readonly number: PeerNumber;
  readonly wants: Bits;
  /** What it waits for, since when, in the order of asking. */
  readonly urgent: Map<BlockNumber, { level: Level; at: number }>;
  /** How many of those have nobody but us. */
  heldUp: number;
  /** On the way and not acknowledged. */
  readonly sending: Map<BlockNumber, Sending>;
  /** Was sent to it, and not acknowledged yet, however long ago. */
  readonly sent: Bits;
  /** Bytes given to it so far. */
  given: number;
  unacknowledged: number;
}

export function createClient(number: PeerNumber, given: number): Client {
  return {
    number,
    wants: new Bits(),
    urgent: new Map(),
    heldUp: 0,
    sending: new Map(),
    sent: new Bits(),
    given,
    unacknowledged: 0,
  };
}

/** Whether it asks for something, and its share leaves room. */
export function mayReceive({ wants, sending, unacknowledged }: Client, share: number): boolean {
  return wants.size > 0 && (sending.size < PIPELINE || unacknowledged < share);
}

/** What it has nobody else for. */
export function heldUp({ heldUp, urgent }: Client): BlockNumber | undefined {
  if (heldUp === 0) return undefined;
  for (const [block, { level }] of urgent) if (level === 2) return block;
}

export function waitedFor({ urgent }: Client): BlockNumber | undefined {
  return urgent.size === 0 ? undefined : urgent.keys().next().value;
}
