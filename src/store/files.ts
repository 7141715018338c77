/** What the files and directories of each published folder were when they were last stored, so that they are not stored again. */
import { CID } from "multiformats/cid";
import type { Records } from "./records.ts";

export interface FileRecord {
  /** All that has to be the same for it to be taken as the same; an empty one is the same as nothing. */
  state: string;
  /** The root of its blocks. */
  cid: CID;
  /** Bytes of all its blocks (Tsize). */
  size: number;
}

export interface FileRecords {
  /** Those of one site, by their path below its folder. */
  of(site: string): Map<string, FileRecord>;
  set(site: string, path: string, record: FileRecord): void;
  remove(site: string, paths: Iterable<string>): void;
}

type Store = Pick<Records, "all" | "run" | "transaction">;
type Row = { path: string; state: string; cid: Uint8Array; size: number };

export function createFileRecords(records: Store): FileRecords & { directories: FileRecords } {
  return { ...recordsIn(records, "files"), directories: recordsIn(records, "directories") };
}

function recordsIn(records: Store, table: "files" | "directories"): FileRecords {
  return {
    of(site) {
      const rows = records.all<Row>(
        `SELECT path, state, cid, size FROM ${table} WHERE site = ?`,
        site,
      );
      return new Map(
        rows.map(({ path, cid, ...row }) => [path, { ...row, cid: CID.decode(cid) }]),
      );
    },
    set: (site, path, { state, cid, size }) =>
      records.run(
        `INSERT OR REPLACE INTO ${table} (site, path, state, cid, size) VALUES (?, ?, ?, ?, ?)`,
        site,
        path,
        state,
        cid.bytes,
        size,
      ),
    remove: (site, paths) =>
      records.transaction(() => {
        for (const path of paths) {
          records.run(`DELETE FROM ${table} WHERE site = ? AND path = ?`, site, path);
        }
      }),
  };
}
