/** Which sites are followed, and which of their versions are here whole. */
import { CID } from "multiformats/cid";
import type { Records } from "./records.ts";

export interface Follow {
  /** The site's DNS name, or its IPNS key (base36). */
  site: string;
  /** How many versions stay. */
  keep: number;
  /** Since when, in milliseconds since 1970. */
  since: number;
}

/** A version that is here whole, and pinned. */
export interface HeldVersion {
  /** Grows with each version that is taken. */
  position: number;
  root: CID;
  /** Undefined where the publisher keeps no versions. */
  number: number | undefined;
  /** Bytes of its tree. */
  bytes: number;
  /** When it was here whole, in milliseconds since 1970. */
  taken: number;
}

export interface Follows {
  all(): Follow[];
  get(site: string): Follow | undefined;
  set(follow: Follow): void;
  /** What is here of it is remembered, like its pins: it may be followed again. */
  remove(site: string): void;
  /** The latest first. */
  held(site: string): HeldVersion[];
  add(site: string, version: Omit<HeldVersion, "position">): void;
  drop(site: string, position: number): void;
}

type Row = Omit<HeldVersion, "root" | "number"> & { root: Uint8Array; number: number | null };

export function createFollows(records: Pick<Records, "all" | "get" | "run">): Follows {
  return {
    all: () => records.all<Follow>("SELECT site, keep, since FROM follows ORDER BY site"),
    get: (site) =>
      records.get<Follow>("SELECT site, keep, since FROM follows WHERE site = ?", site),
    set: ({ site, keep, since }) =>
      records.run("INSERT OR REPLACE INTO follows VALUES (?, ?, ?)", site, keep, since),
    remove: (site) => records.run("DELETE FROM follows WHERE site = ?", site),
    held: (site) =>
      records.all<Row>(
        "SELECT position, root, number, bytes, taken FROM held WHERE site = ? ORDER BY position DESC",
        site,
      ).map(({ root, number, ...row }) => ({
        ...row,
        root: CID.decode(root),
        number: number ?? undefined,
      })),
    add: (site, { root, number, bytes, taken }) =>
      records.run(
        `INSERT INTO held SELECT ?, coalesce(max(position), 0) + 1, ?, nullif(?, 0), ?, ?
         FROM held WHERE site = ?`,
        site,
        root.bytes,
        number ?? 0,
        bytes,
        taken,
        site,
      ),
    drop: (site, position) =>
      records.run("DELETE FROM held WHERE site = ? AND position = ?", site, position),
  };
}
