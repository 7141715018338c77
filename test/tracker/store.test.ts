/** What every store of a tracker does, whatever is below it. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { base58btc } from "multiformats/bases/base58";
import { networkOf } from "../../src/routing/network.ts";
import { placeOfPeer } from "../../src/tracker/hash.ts";
import { RedisStore } from "../../src/tracker/redis.ts";
import { parseStoreUrl } from "../../src/tracker/redis-url.ts";
import { SqliteStore } from "../../src/tracker/sqlite.ts";
import type { Change, TrackerStore } from "../../src/tracker/store.ts";
import { createFolder } from "../helpers/folder.ts";
import { createRedis, redisAvailable } from "../helpers/redis.ts";
import { suite } from "../helpers/suite.ts";

const NOW = 1_800_000_000_000;

/** Where a store is, which is opened again and again. */
interface Place extends AsyncDisposable {
  open(): Promise<TrackerStore>;
}

describe("SQLite", async () => {
  const folder = await createFolder();
  const open = () => Promise.resolve(new SqliteStore(folder.path));
  return Object.assign(folder, { open });
});

describe("Redis", async () => {
  const redis = await createRedis();
  const open = () => RedisStore.open(parseStoreUrl(redis.url));
  return Object.assign(redis, { open });
}, redisAvailable());

/** @param missing why there is no such store here */
function describe(kind: string, create: () => Promise<Place>, missing?: string): void {
  suite(`tracker store (${kind})`, (test, left) => {
    if (missing !== undefined) return left("all", missing);
    async function opened() {
      const place = await create();
      const store = await place.open();
      return {
        store,
        again: () => place.open(),
        [Symbol.asyncDispose]: async () => {
          await store.close();
          await place[Symbol.asyncDispose]();
        },
      };
    }

    test("of many that have a key all are told of sooner or later, and a network finds its own", async () => {
      await using t = await opened();
      const told = new Map<string, number>();
      const writes = Array.from(
        { length: 400 },
        (_, i) => t.store.announce(change(i, { from: `203.0.${i % 200}.${i % 250}` })),
      );
      for (const written of await Promise.all(writes)) assert.ok(written?.token);
      for (let i = 0; i < 60; i++) {
        const some = await t.store.providers("key", NOW, 50);
        assert.is(some.length, 50);
        assert.is(new Set(some.map(({ id }) => id)).size, 50);
        for (const { id } of some) told.set(id, (told.get(id) ?? 0) + 1);
      }
      assert.ok(told.size > 380, `${told.size} of 400 were told of`);
      const own = await t.store.neighbours("key", networkOf("203.0.7.1"), NOW, 50);
      assert.equal(own.map(({ from }) => networkOf(from)), ["203.0.7", "203.0.7"]);
      const ones = new Set<string>();
      for (let i = 0; i < 50; i++) {
        ones.add((await t.store.neighbours("key", networkOf("203.0.7.1"), NOW, 1))[0]!.id);
      }
      assert.is(ones.size, 2);
      assert.equal((await t.store.scrape(["key", "other"], NOW)).map(({ seeders }) => seeders), [
        400,
        0,
      ]);
    });

    test("of two that announce or hand in at once, each sees the other: no update is lost", async () => {
      await using t = await opened();
      const [first, second] = await Promise.all([
        t.store.announce(change(1, { time: NOW })),
        t.store.announce(change(1, { time: NOW })),
      ]);
      assert.ok(first && second === undefined);
      const bytes = (text: string) => new TextEncoder().encode(text);
      const puts = ["a", "b", "c"].map((text) => t.store.putRecord("name", bytes(text), undefined));
      assert.equal(await Promise.all(puts), [true, false, false]);
      assert.ok(await t.store.putRecord("name", bytes("d"), bytes("a")));
      assert.not(await t.store.putRecord("name", bytes("e"), bytes("a")), "it is d by now");
      assert.equal(await t.store.getRecord("name"), bytes("d"));
    });

    test("what a peer has no more is told of nobody, and each key is counted as it is now", async () => {
      await using t = await opened();
      const say = (time: number, fields: Partial<Change>) =>
        t.store.announce(change(1, { time: NOW + time, ...fields }));
      const have = async (key: string) =>
        (await t.store.providers(key, NOW, 9)).map(({ seeds }) => seeds);
      await say(0, { seeds: ["one", "two"], reads: ["three"] });
      assert.equal(await t.store.stats(), { peers: 1, seeds: 2, reads: 1, records: 0 });
      await say(1, { event: "updated", seeds: ["three"], reads: ["two"] });
      assert.equal(await Promise.all(["one", "two", "three"].map(have)), [[], [false], [true]]);
      await say(2, { event: "completed", seeds: ["two"] });
      assert.equal(await Promise.all(["two", "three"].map(have)), [[true], [true]]);
      await say(3, { event: "stopped", seeds: ["two"], reads: [] });
      assert.equal(await Promise.all(["two", "three"].map(have)), [[], [true]]);
      await say(4, { event: "stopped", seeds: [] });
      assert.equal(await have("three"), []);
      assert.equal(await t.store.stats(), { peers: 1, seeds: 0, reads: 0, records: 0 });
      await say(5, { event: "started", seeds: ["one"] });
      assert.equal(await Promise.all(["one", "two", "three"].map(have)), [[true], [], []]);
    });

    test("only the last token of a peer renews, whole as it was given", async () => {
      await using t = await opened();
      const first = (await t.store.announce(change(1)))!;
      const last = (await t.store.announce(change(1, { time: NOW + 1 })))!;
      const forged = Buffer.from(last.token, "base64url");
      forged[15]! ^= 1;
      for (const token of [first.token, forged.toString("base64url"), "", "AAAA"]) {
        assert.is(await t.store.renew(token, NOW), undefined);
      }
      assert.is(await t.store.renew(last.token, NOW), 1_800);
      assert.is(await t.store.renew(last.token, NOW + 1_800_000), undefined);
    });

    test("a peer that moves to another network is found there, and no more where it was", async () => {
      await using t = await opened();
      const near = (ip: string) => t.store.neighbours("key", networkOf(ip), NOW, 9);
      await t.store.announce(change(1, { from: "203.0.113.1" }));
      assert.is((await near("203.0.113.9")).length, 1);
      await t.store.announce(change(1, { from: "198.51.100.1", time: NOW + 1 }));
      assert.is((await near("203.0.113.9")).length, 0);
      assert.is((await near("198.51.100.9")).length, 1);
      assert.is((await t.store.providers("key", NOW, 9)).length, 1);
      assert.ok(await t.store.has(name(1), "key", NOW));
      assert.not(await t.store.has(name(1), "other", NOW));
      assert.not(await t.store.has(name(2), "key", NOW));
    });

    test("the nearest peers to a key are those whose hashes share the most of its first bits", async () => {
      await using t = await opened();
      const ids = Array.from({ length: 300 }, (_, i) => name(i));
      await Promise.all(ids.map((_, i) => t.store.announce(change(i))));
      const place = (id: string) =>
        createHash("sha256").update(base58btc.decode(`z${id}`)).digest();
      for (const seed of ["one", "two", "three"]) {
        const key = createHash("sha256").update(seed).digest();
        const distance = (id: string) =>
          Buffer.from(place(id).map((byte, i) => byte ^ key[i]!)).toString("hex");
        const nearest = ids.toSorted((a, b) => distance(a) < distance(b) ? -1 : 1).slice(0, 20);
        const found = await t.store.closest(key, NOW, 20);
        assert.equal(found.map(({ id }) => id), nearest);
      }
    });

    test("what is over is forgotten, but only when its announce cannot be replayed any more", async () => {
      await using t = await opened();
      for (let i = 0; i < 30; i++) await t.store.announce(change(i, { ttl: 60 }));
      await t.store.announce(change(99, { ttl: 3_600 }));
      const later = NOW + 61_000;
      assert.is((await t.store.providers("key", later, 99)).length, 1);
      await sweep(t.store, later);
      assert.is(await t.store.announce(change(3, { now: later })), undefined);
      const forgotten = await sweep(t.store, later + 600_000);
      assert.is(forgotten, 30);
      assert.is((await t.store.stats()).peers, 1);
      assert.is((await t.store.stats()).seeds, 1);
    });

    test("all is there again after an end, the renewed for as long as they were renewed", async () => {
      await using t = await opened();
      const { token } = (await t.store.announce(change(1, { reads: ["two"], given: 5 })))!;
      await t.store.announce(change(2, { ttl: 120 }));
      await t.store.announce(change(3, { event: "completed", seeds: ["two"] }));
      await t.store.announce(
        change(3, { event: "started", seeds: [], reads: ["three"], time: NOW + 1 }),
      );
      await t.store.announce(change(3, { event: "completed", seeds: ["three"], time: NOW + 2 }));
      assert.is(await t.store.renew(token, NOW + 1_000_000, 9), 1_800);
      // A new announce takes the place of an older renewal, also where it holds for a shorter time.
      const short = { seeds: ["four"], ttl: 60, time: NOW + 1 };
      const long = (await t.store.announce(change(4, { seeds: ["four"], ttl: 3_600 })))!;
      assert.is(await t.store.renew(long.token, NOW + 1_000), 3_600);
      await t.store.announce(change(4, short));
      await t.store.putRecord("name", new Uint8Array([1, 2]), undefined);
      await t.store.met(name(1), NOW, ["/ip4/192.0.2.9/tcp/1"]);
      await t.store.close();

      await using store = await t.again();
      const now = NOW + 2_000_000;
      const [peer, ...others] = await store.providers("key", now, 9);
      assert.equal([peer!.id, peer!.seeds, peer!.met, others.length], [name(1), true, NOW, 0]);
      assert.match(peer!.world, /192\.0\.2\.9/);
      assert.equal(await store.scrape(["key", "two", "three"], now), [
        { seeders: 1, readers: 0, given: 9, completed: 0 },
        { seeders: 0, readers: 1, given: 9, completed: 0 },
        { seeders: 0, readers: 0, given: 0, completed: 1 },
      ]);
      assert.equal(await store.providers("four", now, 9), []);
      assert.is(await store.renew(token, now), 1_800);
      assert.is((await store.scrape(["key"], now))[0]!.given, 9, "who does not say gave no less");
      assert.is(await store.announce(change(1)), undefined);
      assert.equal(await store.getRecord("name"), new Uint8Array([1, 2]));
      assert.is((await store.peer(name(1), now))?.id, name(1));
    });
  });
}

/** The whole round of the sweep. */
async function sweep(store: TrackerStore, now: number): Promise<number> {
  let forgotten = 0;
  for (let i = 0; i < 3; i++) forgotten += await store.expire(now);
  return forgotten;
}

/** A peer ID that nobody has the key of. */
function name(i: number): string {
  const key = createHash("sha256").update(`peer ${i}`).digest();
  return base58btc.encode(Buffer.concat([Buffer.from("002408011220", "hex"), key])).slice(1);
}

function change(i: number, fields: Partial<Change> = {}): Change {
  const from = fields.from ?? "203.0.113.1";
  const id = name(i);
  return {
    ...{ id, place: placeOfPeer(id) },
    time: NOW,
    now: NOW,
    ttl: 1_800,
    given: 0,
    event: "started",
    seeds: ["key"],
    reads: [],
    from,
    network: networkOf(from),
    addrs: { world: [`/ip4/${from}/tcp/4001`], network: [], machine: [], claimed: [] },
    ...fields,
  };
}
