/** What peers tell a tracker, and what it makes of it. */
import * as assert from "uvu/assert";
import { signAnnounce } from "../../src/routing/announce.ts";
import { suite } from "../helpers/suite.ts";
import {
  at,
  AWAY,
  createAnnouncer,
  createTestTracker,
  forged,
  ROOT,
  SITE,
  TRACKER,
} from "../helpers/tracker.ts";

const HOME = "198.51.100.7";
const DAY_MS = 24 * 3_600_000;

suite("tracker: announces", (test) => {
  test("who announced a root is found by those who ask for it, and is gone when it stops", async () => {
    await using t = await createTestTracker();
    const [anna, ben] = [await createAnnouncer(), await createAnnouncer()];
    const { status, json } = await t.announce(
      anna,
      { seeds: [ROOT, "/ipns/k51nonsense"], addrs: [at(HOME)] },
      HOME,
    );
    assert.is(status, 200);
    assert.equal([json.ttl, json.interval, json.time], [1800, 900, t.clock.now]);
    assert.match(json.token, /^[\w-]{22}$/);
    assert.equal(json.refused.map(({ key }: { key: string }) => key), ["/ipns/k51nonsense"]);
    await t.announce(ben, { reads: [ROOT], addrs: [at(AWAY)] }, AWAY);

    const { json: { Providers } } = await t.ask(`/routing/v1/providers/${ROOT}`, "192.0.2.1");
    const found = new Map(Providers.map((p: { ID: string }) => [p.ID, p]));
    assert.equal(found.get(anna.id), {
      Schema: "peer",
      ID: anna.id,
      Addrs: [at(HOME)],
      Protocols: ["transport-bitswap"],
      Seeder: true,
      LastSeen: t.clock.now - 1,
    });
    assert.is((found.get(ben.id) as { Seeder: boolean }).Seeder, false);

    await t.announce(anna, { event: "stopped" }, HOME);
    t.clock.now += 1_001; // what was asked for a moment ago is answered alike
    assert.equal(await t.providers(), [ben.id]);
  });

  test("started adds, updated takes the place of all, completed is counted once, stopped takes away", async () => {
    await using t = await createTestTracker();
    const anna = await createAnnouncer();
    const counts = async () => {
      const { json } = await t.ask(`/tracker/v1/scrape?key=${ROOT}&key=${SITE}`);
      return [json.keys[ROOT], json.keys[SITE]].map((c) =>
        `${c.seeders} ${c.readers} ${c.completed}`
      );
    };
    await t.announce(anna, { reads: [ROOT] });
    await t.announce(anna, { reads: [SITE] });
    assert.equal(await counts(), ["0 1 0", "0 1 0"]);
    await t.announce(anna, { event: "completed", seeds: [ROOT] });
    await t.announce(anna, { event: "completed", seeds: [ROOT], given: 5_000 });
    assert.equal(await counts(), ["1 0 1", "0 1 0"]);
    const { json } = await t.ask(`/tracker/v1/scrape?key=${ROOT}`);
    assert.is(json.keys[ROOT].given, 5_000);
    await t.announce(anna, { event: "updated", seeds: [SITE] });
    assert.equal(await counts(), ["0 0 1", "1 0 0"]);
    await t.announce(anna, { event: "stopped", seeds: [SITE] });
    assert.equal(await counts(), ["0 0 1", "0 0 0"]);
  });

  test("a renewal needs no signature, and keeps all alive; without one it is over", async () => {
    await using t = await createTestTracker();
    const [anna, ben] = [await createAnnouncer(), await createAnnouncer()];
    const { json: { token } } = await t.announce(anna, {
      seeds: [ROOT, SITE],
      ttl: 600,
      addrs: [at(AWAY)],
    });
    await t.announce(ben, { seeds: [ROOT], ttl: 600, addrs: [at(AWAY)] });
    t.clock.now += 400_000;
    const near = token.slice(0, -2) + (token.at(-2) === "A" ? "B" : "A") + token.at(-1);
    for (const wrong of ["", "AAAAAAAAAAAAAAAAAAAAAA", `${token}A`, near]) {
      assert.is((await t.post("/tracker/v1/renew", { token: wrong })).status, 404, wrong);
    }
    const renewed = await t.post("/tracker/v1/renew", { token, given: 77 });
    assert.equal(renewed.json, { ttl: 600, interval: 300, time: t.clock.now });
    t.clock.now += 400_000;
    assert.equal(await t.providers(), [anna.id]);
    assert.is((await t.ask(`/tracker/v1/scrape?key=${SITE}`)).json.keys[SITE].given, 77);
    t.clock.now += 300_000;
    assert.equal(await t.providers(), []);
    assert.is((await t.post("/tracker/v1/renew", { token })).status, 404);
  });

  test("nobody announces for another, twice, from the future, or for another tracker", async () => {
    await using t = await createTestTracker();
    const [anna, mallory] = [await createAnnouncer(), await createAnnouncer()];
    const sign = (fields: object) =>
      signAnnounce(anna.key, {
        tracker: TRACKER,
        event: "started",
        time: t.clock.now,
        seeds: [ROOT],
        addrs: [at(AWAY)],
        ...fields,
      });
    const send = (body: string) => t.post("/tracker/v1/announce", body);
    const good = await sign({});
    assert.is((await send(forged(good, { id: mallory.id }))).status, 401);
    assert.is((await send(await sign({ tracker: "https://other.example" }))).status, 401);
    for (const off of [DAY_MS, -DAY_MS]) {
      const { status, json } = await send(await sign({ time: t.clock.now + off }));
      // With the tracker's time the client corrects its own, and signs again.
      assert.equal([status, json.time], [409, t.clock.now]);
      assert.is((await send(await sign({ time: json.time - 1_000 - off / DAY_MS }))).status, 200);
    }
    assert.is((await send(good)).status, 200);
    const replayed = await send(good);
    assert.is(replayed.status, 409);
    assert.match(replayed.json.error, /before/);
    // Not even when the peer has gone: its announce is remembered as long as it could be replayed.
    await t.announce(anna, { event: "stopped" });
    assert.is((await send(good)).status, 409);
    assert.equal(await t.providers(), []);
  });

  test("too much at once is refused before it is read, and nonsense with a sentence", async () => {
    await using t = await createTestTracker();
    const anna = await createAnnouncer();
    const good = await signAnnounce(anna.key, { tracker: TRACKER, event: "started" });
    const many = Array.from({ length: 10_000 }, () => ROOT);
    assert.is((await t.post("/tracker/v1/announce", forged(good, { seeds: many }))).status, 413);
    const few = forged(good, { seeds: Array.from({ length: 1_001 }, () => "x") });
    assert.is((await t.post("/tracker/v1/announce", few)).status, 413);
    const endless = new ReadableStream({
      pull: (stream) => stream.enqueue(new Uint8Array(65_536)),
    });
    const init = { body: endless, duplex: "half" } as RequestInit;
    assert.is((await t.post("/tracker/v1/announce", "", AWAY, init)).status, 413);
    for (const body of ["", "{", "[]", "null", `{"payload":"e30","signature":""}`]) {
      const { status, json } = await t.post("/tracker/v1/announce", body);
      assert.is(status, 400, body);
      assert.match(json.error, /^[A-Z].*\.$/);
      assert.is(json.time, t.clock.now);
      assert.is((await t.post("/tracker/v1/renew", body)).status, 400, body);
    }
    assert.is((await t.ask("/tracker/v1/scrape")).status, 400);
    assert.is((await t.ask("/tracker/v1/scrape?key=nonsense")).status, 400);
    const keys = many.slice(0, 101).map((key) => `key=${key}`).join("&");
    assert.is((await t.ask(`/tracker/v1/scrape?${keys}`)).status, 413);
  });

  test("one network may ask so often, and is told when again; its neighbours may go on", async () => {
    await using t = await createTestTracker({ app: { rate: { burst: 8, perSecond: 2 } } });
    const ask = (from: string) => t.ask(`/routing/v1/providers/${ROOT}`, from);
    for (let i = 0; i < 8; i++) assert.is((await ask(`192.0.2.${i}`)).status, 200);
    const refused = await ask("192.0.2.99");
    assert.equal([refused.status, refused.headers.get("retry-after")], [429, "1"]);
    assert.is((await ask("198.51.100.1")).status, 200);
    for (let i = 0; i < 8; i++) await ask(`2001:db8:0:ff${i}0::1`);
    assert.is((await ask("2001:db8:0:ff99::1")).status, 429);
    assert.is((await ask("2001:db8:1::1")).status, 200);
    t.clock.now += 1_000;
    assert.equal([(await ask("192.0.2.1")).status, (await ask("192.0.2.1")).status], [200, 200]);
    assert.is((await ask("192.0.2.1")).status, 429);
  });

  test("X-Forwarded-For counts only where a proxy says it that was named", async () => {
    const rate = { burst: 1, perSecond: 1 };
    await using t = await createTestTracker({ app: { rate, trustProxy: ["192.0.2.1"] } });
    const through = async (proxy: string, chain: string) => {
      const headers = { "X-Forwarded-For": chain };
      return (await t.ask(`/routing/v1/providers/${ROOT}`, proxy, { headers })).status;
    };
    assert.is(await through("192.0.2.1", "203.0.113.1"), 200);
    assert.is(await through("192.0.2.1", "203.0.113.2"), 429); // the same network again
    assert.is(await through("192.0.2.1", "198.51.100.1"), 200);
    // What the client wrote itself stands before what the proxy adds.
    assert.is(await through("192.0.2.1", "10.9.9.9, 203.0.113.3"), 429);
    // A stranger's word is worth nothing: it stays who it is.
    assert.is(await through("192.0.77.1", "8.8.8.8"), 200);
    assert.is(await through("192.0.77.1", "9.9.9.9"), 429);
  });
});
