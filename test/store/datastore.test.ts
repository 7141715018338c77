/** The key-value store that libp2p and Helia get: what interface-datastore promises, in the node's one file. */
import { type Datastore, Key } from "interface-datastore";
import * as assert from "uvu/assert";
import { RecordDatastore } from "../../src/store/datastore.ts";
import { createIpnsRecords } from "../../src/store/ipns.ts";
import { Records } from "../../src/store/records.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

const key = (path: string) => new Key(path);
const bytes = (...values: number[]) => Uint8Array.from(values);

async function createStore() {
  const dir = await createFolder();
  const records = new Records(dir.path);
  const store: Datastore = new RecordDatastore(records);
  return {
    store,
    records,
    async [Symbol.asyncDispose]() {
      records.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

async function keys(store: Datastore, prefix?: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.query(prefix === undefined ? {} : { prefix })) {
    found.push(key.toString());
  }
  return found.sort();
}

suite("datastore", (test) => {
  test("put, get, has, delete", async () => {
    await using it = await createStore();
    const { store } = it;
    assert.not(await store.has(key("/a")));
    await store.put(key("/a"), bytes(1));
    await store.put(key("/a"), bytes(1, 2));
    assert.equal(await store.get(key("/a")), bytes(1, 2));
    assert.ok(await store.has(key("/a")));
    await store.delete(key("/a"));
    await store.delete(key("/a"));
    assert.not(await store.has(key("/a")));
    try {
      await store.get(key("/a"));
      assert.unreachable();
    } catch (error) {
      assert.is((error as Error).name, "NotFoundError");
    }
  });

  test("a value is its own: zero bytes, and what the caller does with his afterwards", async () => {
    await using it = await createStore();
    const mine = bytes(1, 2, 3);
    await it.store.put(key("/mine"), mine);
    mine[0] = 9;
    await it.store.put(key("/none"), bytes());
    assert.equal(await it.store.get(key("/mine")), bytes(1, 2, 3));
    assert.equal(await it.store.get(key("/none")), bytes());
  });

  test("a query by prefix finds all below it and nothing beside it", async () => {
    await using it = await createStore();
    const { store } = it;
    const below = ["/pin/a", "/pin/a/b", "/pin/z", "/pin/ü", "/pin/\u{10FFFE}x", "/pin/%_"];
    const beside = ["/pim", "/pio", "/pin", "/Pin/a", "/pin0", "/a/pin/a"];
    for (const path of [...below, ...beside]) await store.put(key(path), bytes(1));
    assert.equal(await keys(store, "/pin/"), [...below].sort());
    assert.equal(await keys(store), [...below, ...beside].sort());
    const found: string[] = [];
    for await (const each of store.queryKeys({ prefix: "/pin/", orders: [], filters: [] })) {
      found.push(each.toString());
    }
    assert.equal(found.sort(), [...below].sort());
  });

  test("what a query found may be deleted while it goes on", async () => {
    await using it = await createStore();
    const { store } = it;
    for (let i = 0; i < 100; i++) await store.put(key(`/x/${i}`), bytes(i));
    let seen = 0;
    for await (const pair of store.query({ prefix: "/x/" })) {
      await store.delete(pair.key);
      seen++;
    }
    assert.is(seen, 100);
    assert.equal(await keys(store), []);
  });

  test("a batch is written at its commit, whole or not at all", async () => {
    await using it = await createStore();
    const { store, records } = it;
    await store.put(key("/old"), bytes(1));
    const batch = store.batch();
    batch.put(key("/new"), bytes(2));
    batch.delete(key("/old"));
    assert.equal(await keys(store), ["/old"]);
    await batch.commit();
    assert.equal(await keys(store), ["/new"]);

    // The table refuses one value of the second batch.
    records.run(
      "CREATE TRIGGER t BEFORE INSERT ON kv WHEN NEW.key = '/bad' BEGIN SELECT RAISE(ABORT, 'no'); END",
    );
    const broken = store.batch();
    broken.put(key("/good"), bytes(3));
    broken.delete(key("/new"));
    broken.put(key("/bad"), bytes(4));
    try {
      await broken.commit();
      assert.unreachable();
    } catch (error) {
      assert.match(String(error), /no/);
    }
    assert.equal(await keys(store), ["/new"]);
  });

  test("an IPNS record is kept until a newer one takes its place", async () => {
    await using it = await createStore();
    const ipns = createIpnsRecords(it.records);
    assert.is(ipns.get("k51"), undefined);
    ipns.put("k51", bytes(1));
    ipns.put("k52", bytes(7));
    ipns.put("k51", bytes(2));
    assert.equal([ipns.get("k51"), ipns.get("k52")], [bytes(2), bytes(7)]);
  });
});
