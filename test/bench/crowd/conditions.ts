/** What a crowd is put in: how many, what they want, over which lines, and what goes wrong meanwhile. */
import type { Rates } from "../../helpers/line.ts";
import type { Wanted } from "./content.ts";

/** Readers who mean harm. Each kind is an agent of its own, `hostile-KIND.ts`. */
export const HOSTILE = ["liar", "staller", "impostor", "flooder"] as const;
export type Hostile = typeof HOSTILE[number];

export interface Conditions {
  readers: number;
  wanted: Wanted;
  rates: Rates;
  /** One-way delay between any two hosts, in milliseconds. Default: 0. */
  delayMs?: number;
  /** Between one reader's arrival and the next one's, in milliseconds. Default: 0, all at once. */
  staggerMs?: number;
  /** What takes the seeder away as soon as the readers together hold one copy. Default: it stays. */
  kill?: "process" | "cable";
  /** A third of the readers leaves, in good order, each with half of what it wanted. Default: all stay. */
  leavers?: boolean;
  /** Hostile readers, beside the others. Default: none. */
  hostile?: Hostile[];
}

/** How many of the readers leave half-way. */
export function leaving({ leavers = false, readers }: Conditions): number {
  return leavers ? Math.floor(readers / 3) : 0;
}

/**
 * The least time in which all readers who stay can have the content, in seconds (Kumar & Ross, "Peer-assisted file
 * distribution: the minimum distribution time", 2006): the seeder has to send one copy, a reader has to receive one, and all
 * uplinks together have to send all copies. That is for readers who come at once: who comes later finds more uplinks, and may
 * need less. Who leaves half-way is left out, with what it takes and what it gives.
 */
export function least(conditions: Conditions, bytes: number): number {
  const { rates: { up, down, seedUp = up } } = conditions;
  const readers = conditions.readers - leaving(conditions);
  const bits = bytes * 8;
  return Math.max(bits / seedUp, bits / down, (readers * bits) / (seedUp + readers * up));
}

/** In a table's words. */
export function describe(conditions: Conditions): string {
  const { readers, wanted, rates: { up, down, seedUp = up }, delayMs = 0, staggerMs = 0 } =
    conditions;
  const { kill, hostile = [] } = conditions;
  return [
    `${readers} readers`,
    wanted === "site" ? "a site of 60 files, 2.4 MB" : `${wanted.mib} MiB`,
    `${up / 1e6}/${down / 1e6} Mbit/s`,
    ...(seedUp === up ? [] : [`the seeder ${seedUp / 1e6} Mbit/s up`]),
    ...(delayMs ? [`${delayMs} ms`] : []),
    ...(staggerMs ? [`one every ${staggerMs / 1000} s`] : []),
    ...(kill === "process" ? ["the seeder killed at one copy"] : []),
    ...(kill === "cable" ? ["the seeder's cable pulled at one copy"] : []),
    ...(leaving(conditions) ? [`${leaving(conditions)} leave half-way`] : []),
    ...(hostile.length ? [`beside a ${hostile.join(" and a ")}`] : []),
  ].join(", ");
}
