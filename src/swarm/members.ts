/** Peers that are spoken with, and what is remembered of each while its stream stands. */
import { Gifts } from "./gifts.ts";
import type { Group } from "./groups.ts";
import type { BlockNumber } from "./holdings.ts";
import type { Theirs } from "./listener.ts";
import type { Lookups } from "./lookups.ts";
import type { Session } from "./session.ts";

/** Blocks of which it is remembered how often a peer was asked for them. */
const MAX_COUNTED = 65_536;

export interface Member {
  session: Session;
  /** What it has opened, by the group's key, in the order of opening. */
  groups: Map<string, Theirs>;
  lookups: Lookups;
  /** How often it may yet send a block: it may have begun to before it heard that it need not, and then be asked again. */
  asked: Map<BlockNumber, number>;
  /** What it took back when it was asked for it. */
  retracted: Set<BlockNumber>;
  /** What it was sent. */
  given: Gifts;
  /** Whether it has sent anything that was asked for. */
  gave: boolean;
  /** Whether it is known to be stalled. */
  stalled: boolean;
}

export function createMember(session: Session, lookups: Lookups): Member {
  return {
    session,
    groups: new Map(),
    lookups,
    asked: new Map(),
    retracted: new Set(),
    given: new Gifts(),
    gave: false,
    stalled: false,
  };
}

export function countUp(counts: Map<BlockNumber, number>, block: BlockNumber): void {
  counts.set(block, (counts.get(block) ?? 0) + 1);
  if (counts.size > MAX_COUNTED) counts.delete(counts.keys().next().value!);
}

/** @returns whether there was something to count down */
export function countDown(counts: Map<BlockNumber, number>, block: BlockNumber): boolean {
  const count = counts.get(block) ?? 0;
  if (count > 1) counts.set(block, count - 1);
  else counts.delete(block);
  return count > 0;
}

/** Whether the peer offers a member of a group in what it has opened of that group. */
export function offers({ groups }: Member, group: Group, index: number): boolean {
  return groups.get(group.key)?.has.has(index) ?? false;
}

/** The peer with most groups open. */
export function opensMost(members: Iterable<Member>): Member | undefined {
  let most: Member | undefined;
  for (const member of members) {
    if (member.groups.size > (most?.groups.size ?? 0)) most = member;
  }
  return most;
}
