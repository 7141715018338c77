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
  /** Somebody published, follows or keeps it, and did not merely read it. Default: no. */
  chosen?: boolean;
}

/** What the table says of each key. */
const READ = 0, WHOLE = 1, CHOSEN = 2;

export interface Shares {
  note(share: Share): void;
  /** Keys of one site, or of all. */
  held(site?: string): { seeds: string[]; reads: string[] };
  /** Keys of what is held whole because somebody wanted that. */
  chosen(): string[];
  /** Told of every change. */
  watch(changed: () => void): void;
}

export function createShares(
  records: Pick<Records, "all" | "get" | "run" | "transaction">,
  now: () => number = Date.now,
): Shares {
  let changed = () => {};
  return {
    note({ keys, site = "", whole, chosen = false }) {
      const state = !whole ? READ : chosen ? CHOSEN : WHOLE;
      let news = false;
      records.transaction(() => {
        for (const key of keys) {
          const known = records.get<{ whole: number }>(
            "SELECT whole FROM shares WHERE key = ?",
            key,
          );
          news ||= known === undefined || state > known.whole;
          records.run(
            "INSERT OR REPLACE INTO shares VALUES (?, ?, ?, ?)",
            key,
            site,
            Math.max(state, known?.whole ?? READ),
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
      const of = (isOne: (whole: number) => boolean) =>
        rows.filter(({ whole }) => isOne(whole)).map(({ key }) => key);
      return { seeds: of((whole) => whole !== READ), reads: of((whole) => whole === READ) };
    },
    chosen: () =>
      records.all<Row>(`SELECT key, whole FROM shares WHERE whole = ${CHOSEN} ${LATEST}`)
        .map(({ key }) => key),
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
