/**
 * Everything a node remembers that is not a block, in one SQLite file: its identity and keys, IPNS records, known peers and
 * pins (through {@link RecordDatastore}), the addresses that were opened and what their names last meant.
 * The file is also the lock of the folder: the operating system frees it however the process ends.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { NethoodError, systemCode } from "../errors.ts";
import { diskError } from "./disk-error.ts";

/** Raised with every change to the tables that an older program could not read. */
const FORMAT = 1;

export const TABLES = `
  CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY, value TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ipns (key TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS lifetimes (key TEXT PRIMARY KEY, ms INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS versions (key TEXT, number INTEGER, cid TEXT, seen INTEGER NOT NULL,
                                       PRIMARY KEY (key, number, cid)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS visits (address TEXT PRIMARY KEY, cid TEXT NOT NULL, size INTEGER NOT NULL,
                                     opened INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS shares (key TEXT PRIMARY KEY, site TEXT NOT NULL, whole INTEGER NOT NULL,
                                     seen INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS files (site TEXT NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL, cid BLOB NOT NULL,
                                    size INTEGER NOT NULL, PRIMARY KEY (site, path)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS directories (site TEXT NOT NULL, path TEXT NOT NULL, state TEXT NOT NULL, cid BLOB NOT NULL,
                                          size INTEGER NOT NULL, PRIMARY KEY (site, path)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS follows (site TEXT PRIMARY KEY, keep INTEGER NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS held (site TEXT, position INTEGER, root BLOB NOT NULL, number INTEGER, bytes INTEGER NOT NULL,
                                   taken INTEGER NOT NULL, PRIMARY KEY (site, position)) WITHOUT ROWID;
`;

/** One address that was opened, and what it was. */
export interface Visit {
  /** Canonical address, such as `/ipns/docs.example.org/index.html`. */
  address: string;
  /** The file's or directory's CID. */
  cid: string;
  /** Bytes of the file. */
  size: number;
  /** When it was last opened, in milliseconds since 1970. */
  opened: number;
}

export class Records {
  readonly #dir: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens the records of a node's folder, making both where they are missing.
   *
   * @throws {NethoodError} DIR_LOCKED, DIR_TOO_NEW, DIR_UNWRITABLE, DISK_FULL
   */
  constructor(dir: string) {
    const file = join(dir, "nethood.sqlite");
    let db: DatabaseSync | undefined;
    try {
      mkdirSync(dir, { recursive: true });
      db = new DatabaseSync(file);
      // Private keys live in it: nobody else on this machine may read it.
      chmodSync(file, 0o600);
      // Exclusive mode keeps the lock from the first write until the process ends.
      db.exec("PRAGMA locking_mode = EXCLUSIVE");
      const { user_version: format } = db.prepare("PRAGMA user_version").get() as {
        user_version: number;
      };
      if (format > FORMAT) {
        throw new NethoodError(
          "DIR_TOO_NEW",
          `The folder ${dir} was written by a newer Nethood (format ${format}).`,
          {
            hint: "Update this program, or choose another folder with --dir.",
          },
        );
      }
      // Only now may the file be changed: a newer program is to find it as it left it.
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      db.exec(`BEGIN EXCLUSIVE; ${TABLES} PRAGMA user_version = ${FORMAT}; COMMIT`);
    } catch (error) {
      db?.close();
      throw recordsError(error, dir);
    }
    this.#dir = dir;
    this.#db = db;
  }

  /** Runs one statement; statements are prepared once. @throws {NethoodError} DISK_FULL */
  run(sql: string, ...values: (string | number | Uint8Array)[]): void {
    try {
      this.#prepare(sql).run(...values);
    } catch (error) {
      throw recordsError(error, this.#dir);
    }
  }

  get<T>(sql: string, ...values: (string | number | Uint8Array)[]): T | undefined {
    return this.#prepare(sql).get(...values) as T | undefined;
  }

  all<T>(sql: string, ...values: (string | number | Uint8Array)[]): T[] {
    return this.#prepare(sql).all(...values) as T[];
  }

  /** All or nothing: what `work` wrote is undone if it throws. @throws {NethoodError} DISK_FULL */
  transaction<T>(work: () => T): T {
    this.run("BEGIN");
    try {
      const result = work();
      this.run("COMMIT");
      return result;
    } catch (error) {
      // SQLite may have rolled back already, as it does on a full disk.
      if (this.#db.isTransaction) this.run("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** SQLite's errors carry a number on Node and only a sentence on Deno: the sentence is matched. */
function recordsError(error: unknown, dir: string): unknown {
  // The messages of both of these contain paths, which may contain any word.
  if (error instanceof NethoodError) return error;
  if (systemCode(error) !== undefined) return diskError(error, dir);
  const told = error instanceof Error ? error.message : "";
  const file = join(dir, "nethood.sqlite");
  if (/locked|busy/.test(told)) {
    return new NethoodError("DIR_LOCKED", `Another Nethood node is using the folder ${dir}.`, {
      cause: error,
      hint: "Stop that one, or give this one its own folder with --dir.",
    });
  }
  if (/not a database|malformed/.test(told)) {
    return new NethoodError("DIR_UNWRITABLE", `${file} is damaged or not a Nethood file.`, {
      cause: error,
      hint:
        "Move it away to start with a new identity (the blocks beside it are kept), or choose another folder with --dir.",
    });
  }
  if (/unable to open|readonly|read-only/.test(told)) {
    return new NethoodError("DIR_UNWRITABLE", `The folder ${dir} cannot be written.`, {
      cause: error,
      hint: "Give yourself write permission there, or choose another folder with --dir.",
    });
  }
  if (/disk is full/.test(told)) {
    return new NethoodError("DISK_FULL", `The disk that holds ${dir} is full.`, {
      cause: error,
      hint: "Free some space, or choose a folder on another disk with --dir.",
    });
  }
  return error;
}
