/** What this node has for others, as a tracker is told: keys of sites, and whether they are held whole. */
import type { Records } from "./records.ts";

/** Most keys that are told, the latest first: as many as go into one announce. */
const MAX_SHARES = 1_000;

export interface Share {
  /** Everything that it is found by: `/ipns/docs.example.org`, `/ipns/k51…`, `bafy…` of the root. */
  keys: string[];
  /** The site's DNS name; undefined where it was opened by none. */
  site: string | undefined;
  /** Everything below the root is here. */
  whole: boolean;
}

export interface Shares {
  note(share: Share): void;
  /** Keys of one site, or of all. */
  held(site?: string): { seeds: string[]; reads: string[] };
  /** Told of every change. */
  watch(changed: () => void): void;
}

export function createShares(
  records: Pick<Records, "all" | "get" | "run" | "transaction">,
  now: () => number = Date.now,
): Shares {
  let changed = () => {};
  return {
    note({ keys, site = "", whole }) {
      let news = false;
      records.transaction(() => {
        for (const key of keys) {
          const known = records.get<{ whole: number }>(
            "SELECT whole FROM shares WHERE key = ?",
            key,
          );
          news ||= known === undefined || whole && known.whole === 0;
          records.run(
            "INSERT OR REPLACE INTO shares VALUES (?, ?, ?, ?)",
            key,
            site,
            Number(whole || known?.whole === 1),
            now(),
          );
        }
      });
      if (news) changed();
    },
    held(site) {
      const rows = site === undefined
        ? records.all<Row>(`SELECT key, whole FROM shares ${LATEST}`)
        : records.all<Row>(`SELECT key, whole FROM shares WHERE site = ? ${LATEST}`, site);
      const of = (whole: number) => rows.filter((row) => row.whole === whole).map(({ key }) => key);
      return { seeds: of(1), reads: of(0) };
    },
    watch(told) {
      changed = told;
    },
  };
}

interface Row {
  key: string;
  whole: number;
}

const LATEST = `ORDER BY seen DESC LIMIT ${MAX_SHARES}`;
