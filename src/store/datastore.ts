/** The key-value store that libp2p and Helia ask for, as a table of the node's records. */
import { BaseDatastore } from "datastore-core";
import { type Batch, Key, type KeyQuery, type Pair, type Query } from "interface-datastore";
import { NotFoundError } from "interface-store";
import type { Records } from "./records.ts";

type Row = { key: string; value: Uint8Array };

export class RecordDatastore extends BaseDatastore {
  readonly #records: Records;

  constructor(records: Records) {
    super();
    this.#records = records;
  }

  override put(key: Key, value: Uint8Array): Key {
    this.#records.run("INSERT OR REPLACE INTO kv VALUES (?, ?)", key.toString(), value);
    return key;
  }

  override get(key: Key): Uint8Array {
    const row = this.#records.get<Row>("SELECT value FROM kv WHERE key = ?", key.toString());
    if (row === undefined) throw notFound(key);
    return row.value;
  }

  override has(key: Key): boolean {
    return this.#records.get("SELECT 1 FROM kv WHERE key = ?", key.toString()) !== undefined;
  }

  override delete(key: Key): void {
    this.#records.run("DELETE FROM kv WHERE key = ?", key.toString());
  }

  override batch(): Batch {
    const work: (() => void)[] = [];
    return {
      put: (key, value) => void work.push(() => this.put(key, value)),
      delete: (key) => void work.push(() => this.delete(key)),
      commit: () => this.#records.transaction(() => work.splice(0).forEach((step) => step())),
    };
  }

  override async *_all(query: Query): AsyncGenerator<Pair> {
    for (const { key, value } of this.#rows(query.prefix)) yield { key: new Key(key), value };
  }

  override async *_allKeys(query: KeyQuery): AsyncGenerator<Key> {
    for (const { key } of this.#rows(query.prefix)) yield new Key(key);
  }

  /** All rows below a prefix, found through the index: U+10FFFF sorts after every key that starts with it. */
  #rows(prefix = "/"): Row[] {
    const last = prefix + "\u{10FFFF}";
    return this.#records.all<Row>(
      "SELECT key, value FROM kv WHERE key >= ? AND key < ?",
      prefix,
      last,
    );
  }
}

/** Without a stack: libraries ask for what may not be there and go on, and a stack takes longer than the asking. */
function notFound(key: Key): NotFoundError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new NotFoundError(`${key} is not recorded`);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
