/** Who has which key: the part of the tracker's tables that is in memory alone, and that is read for every answer. */
import { randomInt } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { createHasher } from "./hash.ts";
import type { Held } from "./keys.ts";
import type { Statements } from "./statements.ts";
import type { Counts } from "./store.ts";

/** Peers of a key that are added up one by one; of more, what these have given stands for all. */
const MAX_SUMMED = 1_000;

/** Numbers that stand for networks. */
const NETWORKS = 2 ** 32;

/** What is known of a peer, as {@link Row}. */
export const FOUND =
  `p.id, p.src, p.world, p.lan, p.machine, l.met, l.expires - 1000 * l.ttl AS seen`;

const PROVIDERS = `SELECT ${FOUND}, a.seeds FROM temp.announces a
  CROSS JOIN temp.lives l ON l.peer = a.peer CROSS JOIN peers p ON p.num = a.peer
  WHERE a.key = ? AND l.expires > ?`;

export type Row = [
  id: string,
  src: string,
  world: string,
  lan: string,
  machine: string,
  met: number,
  seen: number,
  /** Whether it has the key whole, where it was asked for by one. */
  seeds: number | null,
];

export class Postings {
  readonly #sql: Statements;
  readonly #hash = createHasher(randomInt(2 ** 32));

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Reads what every peer has from the disk. No row of it comes here: a million of them would. */
  load(db: DatabaseSync): void {
    db.function("hash", { deterministic: true }, (text) => this.#hash(String(text)));
    for (const [column, seeds] of [["seeds", 1], ["reads", 0]] as const) {
      db.exec(`
        INSERT OR IGNORE INTO temp.announces
          SELECT hash(key.value), hash(network) % ${NETWORKS}, num, ${seeds}
          FROM peers, json_each('["' || replace(${column}, ' ', '","') || '"]') AS key
          WHERE ${column} <> ''`);
    }
  }

  /** Some of those that have a key, beginning anywhere, so that everybody is told of sometimes. */
  some(key: string, now: number, limit: number): Row[] {
    const code = this.#hash(key);
    const few = this.#sql.rows<Row>(`${PROVIDERS} LIMIT ?`, code, now, limit + 1);
    if (few.length <= limit) return few;
    // Their networks are a ring of numbers.
    const from = randomInt(NETWORKS);
    const on = (where: string, count: number) =>
      this.#sql.rows<Row>(`${PROVIDERS} AND a.net ${where} ? LIMIT ?`, code, now, from, count);
    const after = on(">=", limit);
    return after.length === limit ? after : [...after, ...on("<", limit - after.length)];
  }

  /** Some of those of one network. @param last the highest number of a peer */
  near(key: string, network: string, now: number, limit: number, last: number): Row[] {
    const [code, net, from] = [this.#hash(key), this.#net(network), randomInt(last + 1)];
    const on = (where: string, count: number) => {
      const sql = `${PROVIDERS} AND a.net = ? AND a.peer ${where} ? LIMIT ?`;
      return this.#sql.rows<Row>(sql, code, now, net, from, count);
    };
    const after = on(">=", limit);
    return after.length === limit ? after : [...after, ...on("<", limit - after.length)];
  }

  has(num: number, network: string, key: string): boolean {
    const sql = "SELECT 1 FROM temp.announces WHERE key = ? AND net = ? AND peer = ?";
    return this.#sql.get(sql, this.#hash(key), this.#net(network), num) !== undefined;
  }

  /** Writes the differences between what a peer had and what it has. */
  change(
    num: number,
    before: Held & { network: string } | undefined,
    after: Held & { network: string },
  ): void {
    const moved = before !== undefined && before.network !== after.network;
    const net = this.#net(after.network);
    if (before !== undefined) {
      const oldNet = this.#net(before.network);
      for (const key of [...before.seeds, ...before.reads]) {
        if (!moved && (after.seeds.has(key) || after.reads.has(key))) continue;
        const sql = "DELETE FROM temp.announces WHERE key = ? AND net = ? AND peer = ?";
        this.#sql.run(sql, this.#hash(key), oldNet, num);
      }
    }
    const put = (keys: Set<string>, old: Set<string> | undefined, seeds: number) => {
      for (const key of keys) {
        if (!moved && old?.has(key)) continue;
        const sql = "INSERT OR REPLACE INTO temp.announces VALUES (?, ?, ?, ?)";
        this.#sql.run(sql, this.#hash(key), net, num, seeds);
      }
    };
    put(after.seeds, before?.seeds, 1);
    put(after.reads, before?.reads, 0);
  }

  counts(key: string, now: number): Omit<Counts, "completed"> {
    const code = this.#hash(key);
    const all = this.#sql.get<{ peers: number; seeders: number | null }>(
      "SELECT count(*) AS peers, sum(seeds) AS seeders FROM temp.announces WHERE key = ?",
      code,
    )!;
    const some = this.#sql.get<typeof all & { given: number | null }>(
      `SELECT count(*) AS peers, sum(a.seeds) AS seeders, sum(l.given) AS given
        FROM (SELECT peer, seeds FROM temp.announces WHERE key = ? LIMIT ${MAX_SUMMED}) a
        JOIN temp.lives l ON l.peer = a.peer WHERE l.expires > ?`,
      code,
      now,
    )!;
    const share = Math.max(1, all.peers / MAX_SUMMED);
    const { peers, seeders } = share > 1 ? all : some;
    return {
      seeders: seeders ?? 0,
      readers: peers - (seeders ?? 0),
      given: Math.round((some.given ?? 0) * share),
    };
  }

  #net(network: string): number {
    return this.#hash(network) % NETWORKS;
  }
}
