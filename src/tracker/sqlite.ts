/** The tracker's store on one machine: SQLite, embedded, with nothing to set up. */
import { Buffer } from "node:buffer";
import type { DatabaseSync } from "node:sqlite";
import { distanceTo } from "../routing/network.ts";
import { Commits } from "./commits.ts";
import { explain, openFile } from "./file.ts";
import { cutPlace, distanceBetween, PLACE_BITS, placeOfPeer } from "./hash.ts";
import { change, NOTHING, readHeld } from "./keys.ts";
import { FOUND, Postings, type Row } from "./postings.ts";
import { Statements } from "./statements.ts";
import {
  type Addresses,
  type Change,
  type Counts,
  members,
  type Provider,
  REMEMBERED_MS,
  type Stats,
  type TrackerStore,
} from "./store.ts";
import { newSecret, readToken, writeToken } from "./token.ts";

/** Rows that are looked at in one step of the sweep. */
const SWEPT = 1_000;

/** A peer by its ID, of which the place comes first. */
const KNOWN = `FROM temp.places i CROSS JOIN peers p ON p.num = i.peer
  CROSS JOIN temp.lives l ON l.peer = i.peer WHERE i.place = ? AND p.id = ?`;

type Old = {
  num: number;
  time: number;
  network: string;
  expires: number;
  met: number;
  seeds: string;
  reads: string;
};

export class SqliteStore implements TrackerStore {
  readonly #db: DatabaseSync;
  readonly #sql: Statements;
  readonly #postings: Postings;
  readonly #commits: Commits;
  /** The highest number of a peer. */
  #last = 0;
  /** Where the sweep is. */
  #swept = 0;

  /**
   * @param dir the tracker's folder
   * @throws {NethoodError} DIR_LOCKED, DIR_TOO_NEW, DIR_UNWRITABLE, DISK_FULL
   */
  constructor(dir: string, log: (line: string) => void = () => undefined) {
    const opened = openFile(dir, (db) => {
      const sql = new Statements(db);
      const postings = new Postings(sql);
      postings.load(db);
      const { last } = sql.get<{ last: number }>(
        "SELECT coalesce(max(num), 0) AS last FROM peers",
      )!;
      return { sql, postings, last };
    }, log);
    this.#db = opened.db;
    this.#sql = opened.sql;
    this.#postings = opened.postings;
    this.#last = opened.last;
    this.#commits = new Commits(this.#db, (error) => explain(error, dir));
  }

  announce(said: Change): Promise<{ token: string } | undefined> {
    return this.#commits.write(() => this.#announce(said));
  }

  async renew(token: string, now: number, given = 0): Promise<number | undefined> {
    const read = readToken(token);
    return read && await this.#commits.write(() => {
      const { num, secret } = read;
      const peer = this.#sql.get<{ token: Uint8Array }>(
        "SELECT token FROM peers WHERE num = ?",
        num,
      );
      if (peer === undefined || Buffer.compare(peer.token, secret) !== 0) return undefined;
      const renewed = this.#sql.get<{ ttl: number; expires: number; given: number }>(
        `UPDATE temp.lives SET expires = ? + 1000 * ttl, given = max(given, ?)
          WHERE peer = ? AND expires > ? RETURNING ttl, expires, given`,
        ...[now, given, num, now],
      );
      if (renewed === undefined) return undefined;
      const sql = "INSERT OR REPLACE INTO renewals VALUES (?, ?, ?)";
      this.#sql.run(sql, num, renewed.expires, renewed.given);
      return renewed.ttl;
    });
  }

  // deno-lint-ignore require-await -- here and below: what fails is a rejection
  async providers(key: string, now: number, limit: number): Promise<Provider[]> {
    return this.#postings.some(key, now, limit).map(provider);
  }

  // deno-lint-ignore require-await
  async neighbours(
    key: string,
    network: string,
    now: number,
    limit: number,
  ): Promise<Provider[]> {
    return this.#postings.near(key, network, now, limit, this.#last).map(provider);
  }

  // deno-lint-ignore require-await
  async has(id: string, key: string, now: number): Promise<boolean> {
    const old = this.#old(id);
    return old !== undefined && old.expires > now && this.#postings.has(old.num, old.network, key);
  }

  // deno-lint-ignore require-await
  async peer(id: string, now: number): Promise<Provider | undefined> {
    const sql = `SELECT ${FOUND}, NULL ${KNOWN} AND l.expires > ?`;
    const [row] = this.#sql.rows<Row>(sql, placeOfPeer(id), id, now);
    return row && provider(row);
  }

  // deno-lint-ignore require-await
  async closest(key: Uint8Array, now: number, limit: number): Promise<Provider[]> {
    const place = cutPlace(key);
    let found: [...Row, place: number][] = [];
    // Who shares more of the first bits is nearer: blocks of the ring around it, each twice the one before.
    for (let width = 1; width <= 2 ** PLACE_BITS && found.length < limit; width *= 2) {
      const from = place - place % width;
      found = this.#sql.rows(
        `SELECT ${FOUND}, NULL, i.place FROM temp.places i CROSS JOIN temp.lives l ON l.peer = i.peer
          CROSS JOIN peers p ON p.num = i.peer WHERE i.place >= ? AND i.place < ? AND l.expires > ?
          LIMIT ?`,
        // Places are random: a block that has enough has little more.
        ...[from, from + width, now, limit * 16],
      );
    }
    const far = (row: typeof found[number]) => distanceBetween(row[8], place);
    const sorted = found.sort((a, b) => far(a) - far(b));
    return sorted.slice(0, limit).map(provider);
  }

  async met(id: string, now: number, at: string[] | undefined): Promise<void> {
    await this.#commits.write(() => {
      const old = this.#old(id);
      if (old === undefined) return;
      const { num } = old;
      const when = at === undefined ? -now : now;
      this.#sql.run("UPDATE temp.lives SET met = ? WHERE peer = ?", when, num);
      this.#sql.run("UPDATE peers SET met = ? WHERE num = ?", when, num);
      if (at === undefined || at.length === 0) return;
      const row = this.#sql.get<{ world: string }>("SELECT world FROM peers WHERE num = ?", num)!;
      const told = new Set([...JSON.parse(`[${row.world}]`), ...at]);
      this.#sql.run("UPDATE peers SET world = ? WHERE num = ?", members([...told]), num);
    });
  }

  // deno-lint-ignore require-await
  async scrape(keys: string[], now: number): Promise<Counts[]> {
    return keys.map((key) => {
      const sql = "SELECT n FROM completed WHERE key = ?";
      const completed = this.#sql.get<{ n: number }>(sql, key)?.n ?? 0;
      return { ...this.#postings.counts(key, now), completed };
    });
  }

  // deno-lint-ignore require-await
  async stats(): Promise<Stats> {
    const count = (what: string) => this.#sql.get<{ n: number | null }>(`SELECT ${what}`)!.n ?? 0;
    const seeds = count("sum(seeds) AS n FROM temp.announces");
    return {
      peers: count("count(*) AS n FROM temp.lives"),
      seeds,
      reads: count("count(*) AS n FROM temp.announces") - seeds,
      records: count("count(*) AS n FROM ipns"),
    };
  }

  // deno-lint-ignore require-await
  async getRecord(name: string): Promise<Uint8Array | undefined> {
    return this.#record(name);
  }

  async putRecord(
    name: string,
    record: Uint8Array,
    before: Uint8Array | undefined,
  ): Promise<boolean> {
    return await this.#commits.write(() => {
      const here = this.#record(name);
      const same = here === undefined || before === undefined
        ? here === before
        : Buffer.compare(here, before) === 0;
      if (same) this.#sql.run("INSERT OR REPLACE INTO ipns VALUES (?, ?)", name, record);
      return same;
    });
  }

  async expire(now: number): Promise<number> {
    return await this.#commits.write(() => {
      // Counted first: most of the time nobody among them is over.
      const { rows, last, over } = this.#sql.get<{ rows: number; last: number; over: number }>(
        `SELECT count(*) AS rows, max(peer) AS last, coalesce(sum(expires <= ?), 0) AS over
          FROM (SELECT peer, expires FROM temp.lives WHERE peer > ? ORDER BY peer LIMIT ${SWEPT})`,
        ...[now - REMEMBERED_MS, this.#swept],
      )!;
      if (over > 0) {
        const sql = `SELECT peer AS num FROM temp.lives
          WHERE peer > ? AND peer <= ? AND expires <= ?`;
        const range = [this.#swept, last, now - REMEMBERED_MS];
        for (const { num } of this.#sql.all<{ num: number }>(sql, ...range)) this.#forget(num);
      }
      this.#swept = rows < SWEPT ? 0 : last;
      return over;
    });
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    this.#commits.flush();
    this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #announce(said: Change): { token: string } | undefined {
    const { id, place, time, now, ttl, given, from, network, addrs } = said;
    const old = this.#old(id, place);
    if (old !== undefined && time <= old.time) return undefined;
    const num = old?.num ?? ++this.#last;
    const had = old && readHeld(old);
    const has = change(had && old.expires > now ? had : NOTHING, said);
    this.#postings.change(num, had && { ...had, network: old!.network }, { ...has, network });
    for (const key of has.completed) {
      const sql = "INSERT INTO completed VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1";
      this.#sql.run(sql, key);
    }
    const secret = newSecret();
    // Who has nothing is over at once, and yet remembered for a while.
    const expires = has.seeds.size + has.reads.size > 0 ? now + 1000 * ttl : now;
    const met = old?.met ?? 0;
    this.#sql.run(
      "INSERT OR REPLACE INTO peers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[num, id, place, time, secret, expires, ttl, given, met, network, from],
      ...listed(addrs),
      ...[has.seeds, has.reads].map((keys) => [...keys].join(" ")),
    );
    const sql = "INSERT OR REPLACE INTO temp.lives VALUES (?, ?, ?, ?, ?)";
    this.#sql.run(sql, num, expires, ttl, given, met);
    if (old === undefined) this.#sql.run("INSERT INTO temp.places VALUES (?, ?)", place, num);
    else this.#sql.run("DELETE FROM renewals WHERE peer = ?", num);
    return { token: writeToken(num, secret) };
  }

  #forget(num: number): void {
    const row = this.#sql.get<Old & { place: number }>(
      "SELECT place, network, seeds, reads FROM peers WHERE num = ?",
      num,
    )!;
    const { network } = row;
    this.#postings.change(num, { ...readHeld(row), network }, { ...NOTHING, network });
    this.#sql.run("DELETE FROM temp.places WHERE place = ? AND peer = ?", row.place, num);
    this.#sql.run("DELETE FROM temp.lives WHERE peer = ?", num);
    this.#sql.run("DELETE FROM renewals WHERE peer = ?", num);
    this.#sql.run("DELETE FROM peers WHERE num = ?", num);
  }

  #old(id: string, place = placeOfPeer(id)): Old | undefined {
    const what = "p.num, p.time, p.network, l.expires, l.met, p.seeds, p.reads";
    return this.#sql.get<Old>(`SELECT ${what} ${KNOWN}`, place, id);
  }

  #record(name: string): Uint8Array | undefined {
    const sql = "SELECT record FROM ipns WHERE name = ?";
    return this.#sql.get<{ record: Uint8Array }>(sql, name)?.record;
  }
}

function listed({ world, network, machine, claimed }: Addresses): string[] {
  return [world, network, machine, claimed].map(members);
}

function provider(
  [id, src, world, lan, machine, met, seen, seeds]: readonly [...Row, ...unknown[]],
): Provider {
  const whole = seeds === null ? undefined : seeds === 1;
  const from = { from: src, near: distanceTo(src) };
  return { id, ...from, world, network: lan, machine, seeds: whole, met, seen };
}
