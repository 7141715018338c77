/** Which keys a peer has after an announce. */
import type { Change } from "./store.ts";

/** Keys of one peer, most: ten full announces. */
export const MAX_PEER_KEYS = 10_000;

export interface Held {
  seeds: Set<string>;
  reads: Set<string>;
}

export const NOTHING: Held = { seeds: new Set(), reads: new Set() };

/** Keys as they are in a row: with a space between them. */
export function readHeld({ seeds, reads }: { seeds: string; reads: string }): Held {
  const set = (keys: string) => new Set(keys === "" ? [] : keys.split(" "));
  return { seeds: set(seeds), reads: set(reads) };
}

/** @returns what it has now, and which keys it has just completed; keys beyond the most that one may have are left out */
export function change(
  before: Held,
  { event, seeds, reads }: Pick<Change, "event" | "seeds" | "reads">,
): Held & { completed: string[] } {
  const held = event === "updated"
    ? { seeds: new Set<string>(), reads: new Set<string>() }
    : { seeds: new Set(before.seeds), reads: new Set(before.reads) };
  const completed: string[] = [];
  if (event === "stopped") {
    const named = [...seeds, ...reads];
    if (named.length === 0) return { seeds: new Set(), reads: new Set(), completed };
    for (const key of named) {
      held.seeds.delete(key);
      held.reads.delete(key);
    }
    return { ...held, completed };
  }
  const room = () => held.seeds.size + held.reads.size < MAX_PEER_KEYS;
  for (const key of event === "completed" ? [...seeds, ...reads] : seeds) {
    const read = held.reads.delete(key);
    if (held.seeds.has(key) || !room()) continue;
    held.seeds.add(key);
    // Counted where it was seen to be fetched: else anybody could count as often as they like.
    if (event === "completed" && read) completed.push(key);
  }
  if (event !== "completed") {
    for (const key of reads) {
      held.seeds.delete(key);
      if (room()) held.reads.add(key);
    }
  }
  return { ...held, completed };
}
