/**
 * The tracker's file. Peers and records are on disk; what is looked for by key is in memory, in temporary tables, so that
 * writing an announce costs a line at the end of a table. A file that is damaged is moved aside: peers announce again by
 * themselves.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { NethoodError } from "../errors.ts";

/** Raised with every change to the tables that an older program could not read. */
const FORMAT = 1;

/** Pages of the log after which they are written into the file itself, which is when the disk is waited for. */
const CHECKPOINT_PAGES = 8_000;

/** Pages of the file that are kept in memory, in KiB: who is asked for often is known to the system, too. */
const CACHE_KIB = 4 * 1024;

const ON_DISK = `
  CREATE TABLE IF NOT EXISTS peers (
    num INTEGER PRIMARY KEY, id TEXT NOT NULL, place INTEGER NOT NULL, time INTEGER NOT NULL, token BLOB NOT NULL,
    expires INTEGER NOT NULL, ttl INTEGER NOT NULL, given INTEGER NOT NULL, met INTEGER NOT NULL, network TEXT NOT NULL,
    src TEXT NOT NULL, world TEXT NOT NULL, lan TEXT NOT NULL, machine TEXT NOT NULL, claimed TEXT NOT NULL,
    seeds TEXT NOT NULL, reads TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS renewals (peer INTEGER PRIMARY KEY, expires INTEGER NOT NULL, given INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS completed (key TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ipns (name TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;
`;

const IN_MEMORY = `
  PRAGMA temp_store = MEMORY; PRAGMA temp.page_size = 2048;
  CREATE TEMP TABLE announces (key INTEGER, net INTEGER, peer INTEGER, seeds INTEGER,
    PRIMARY KEY (key, net, peer)) WITHOUT ROWID;
  CREATE TEMP TABLE lives (peer INTEGER PRIMARY KEY, expires INTEGER, ttl INTEGER, given INTEGER, met INTEGER);
  CREATE TEMP TABLE places (place INTEGER, peer INTEGER, PRIMARY KEY (place, peer)) WITHOUT ROWID;
`;

const OPENING = `
  INSERT INTO temp.lives SELECT num, coalesce(r.expires, p.expires), ttl, coalesce(r.given, p.given), met
    FROM peers p LEFT JOIN renewals r ON r.peer = p.num;
  INSERT INTO temp.places SELECT place, num FROM peers;
`;

/**
 * Opens the file of a folder, making both where they are missing.
 *
 * @param read reads every row there is; it is given another database if the first one is damaged
 * @throws {NethoodError} DIR_LOCKED, DIR_TOO_NEW, DIR_UNWRITABLE
 */
export function openFile<T>(
  dir: string,
  read: (db: DatabaseSync) => T,
  log: (line: string) => void,
): T & { db: DatabaseSync } {
  const file = join(dir, "tracker.sqlite");
  try {
    mkdirSync(dir, { recursive: true });
    return open(file, read);
  } catch (error) {
    if (!isDamaged(error)) throw explain(error, dir);
    const aside = moveAside(file);
    log(
      `${file} is damaged: it is ${aside} now, and the tracker begins without announces. ` +
        "They come again by themselves.",
    );
    return open(file, read);
  }
}

/** Says of an error of SQLite what a person can do. */
export function explain(error: unknown, dir: string): unknown {
  const told = error instanceof Error && !(error instanceof NethoodError) ? error.message : "";
  if (/locked|busy/.test(told)) {
    return new NethoodError("DIR_LOCKED", `Another tracker is using the folder ${dir}.`, {
      cause: error,
      hint: "Stop that one, or give this one its own folder with --dir.",
    });
  }
  if (/disk is full/.test(told)) {
    return new NethoodError("DISK_FULL", `The disk that holds ${dir} is full.`, {
      cause: error,
      hint: "Free some space, or choose a folder on another disk with --dir.",
    });
  }
  if (/unable to open|readonly|read-only|EACCES|EROFS|ENOTDIR|EEXIST|denied/i.test(told)) {
    return new NethoodError("DIR_UNWRITABLE", `The folder ${dir} cannot be written.`, {
      cause: error,
      hint: "Give yourself write permission there, or choose another folder with --dir.",
    });
  }
  return error;
}

function open<T>(file: string, read: (db: DatabaseSync) => T): T & { db: DatabaseSync } {
  const db = new DatabaseSync(file);
  try {
    // Where somebody is, and what they read, is nobody else's business on this machine.
    chmodSync(file, 0o600);
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const { user_version: format } = db.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (format > FORMAT) {
      throw new NethoodError("DIR_TOO_NEW", `${file} was written by a newer Nethood.`, {
        hint: "Update this program, or choose another folder with --dir.",
      });
    }
    db.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -${CACHE_KIB};
        PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
    );
    db.exec(`BEGIN EXCLUSIVE; ${ON_DISK} PRAGMA user_version = ${FORMAT}; COMMIT`);
    db.exec(IN_MEMORY);
    db.exec("BEGIN");
    db.exec(OPENING);
    const all = read(db);
    // What nobody looks at now: damage is to be found by us, and not by a visitor.
    db.prepare("SELECT sum(length(record)) FROM ipns").get();
    db.prepare("SELECT sum(n) FROM completed").get();
    db.exec("COMMIT");
    return { ...all, db };
  } catch (error) {
    db.close();
    throw error;
  }
}

function isDamaged(error: unknown): boolean {
  return error instanceof Error && !(error instanceof NethoodError) &&
    /not a database|malformed|corrupt|no such (table|column)|disk I\/O error/i.test(error.message);
}

/** Beside it, under the first name that is free. */
function moveAside(file: string): string {
  let aside = `${file}.damaged`;
  for (let n = 2; existsSync(aside); n++) aside = `${file}.damaged-${n}`;
  renameSync(file, aside);
  // They belong to that file: with another they would be the next damage.
  for (const end of ["-wal", "-shm"]) rmSync(file + end, { force: true });
  return aside;
}
