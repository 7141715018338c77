/** IPNS records as a node keeps them, in memory. */
import { DatabaseSync } from "node:sqlite";
import { createIpnsRecords, type IpnsRecords } from "../../src/store/ipns.ts";
import { type Records, TABLES } from "../../src/store/records.ts";

export function createIpnsStore(): IpnsRecords {
  return createIpnsRecords(memoryRecords());
}

/** The tables of a node's records, in no file. */
export function memoryRecords(): Pick<Records, "get" | "all" | "run"> {
  const db = new DatabaseSync(":memory:");
  db.exec(TABLES);
  return {
    get: <T>(sql: string, ...values: (string | number | Uint8Array)[]) =>
      db.prepare(sql).get(...values) as T | undefined,
    all: <T>(sql: string, ...values: (string | number | Uint8Array)[]) =>
      db.prepare(sql).all(...values) as T[],
    run: (sql, ...values) => void db.prepare(sql).run(...values),
  };
}
