/**
 * Which versions of a site have been seen, by the key that signed them: so that nobody is taken back to an older one, and two
 * versions of one number are noticed.
 */
import type { Records } from "./records.ts";

/** Numbers remembered of one key, and versions of one number, most: whoever holds a key must not fill the disk. */
const MAX_NUMBERS = 1_000, MAX_OF_ONE = 8;

export interface SeenVersion {
  number: number;
  /** CID of the version's block. */
  cid: string;
  /** When it was first seen, in milliseconds since 1970. */
  seen: number;
}

export interface Versions {
  /** Notes a version of a key, which is given as a base36 CID; `fork` is said once of each, `known` ever after. */
  see(key: string, version: SeenVersion): "known" | "new" | "fork";
  /** The highest number seen; of several versions with it, the one that was seen first. */
  newest(key: string): SeenVersion | undefined;
  /** The latest ones, the highest number first. */
  all(key: string): SeenVersion[];
}

export function createVersions(records: Pick<Records, "get" | "all" | "run">): Versions {
  const all: Versions["all"] = (key) =>
    records.all<SeenVersion>(
      "SELECT number, cid, seen FROM versions WHERE key = ? ORDER BY number DESC, seen, cid",
      key,
    );
  const newest: Versions["newest"] = (key) =>
    records.get<SeenVersion>(
      "SELECT number, cid, seen FROM versions WHERE key = ? ORDER BY number DESC, seen, cid LIMIT 1",
      key,
    );
  return {
    all,
    newest,
    see(key, { number, cid, seen }) {
      const oldest = (newest(key)?.number ?? 0) - MAX_NUMBERS;
      if (number <= oldest) return "known";
      const others = records.all<{ cid: string }>(
        "SELECT cid FROM versions WHERE key = ? AND number = ?",
        key,
        number,
      );
      if (others.length >= MAX_OF_ONE || others.some((other) => other.cid === cid)) return "known";
      records.run("INSERT INTO versions VALUES (?, ?, ?, ?)", key, number, cid, seen);
      records.run("DELETE FROM versions WHERE key = ? AND number <= ?", key, number - MAX_NUMBERS);
      return others.length > 0 ? "fork" : "new";
    },
  };
}
