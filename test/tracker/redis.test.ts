/** Trackers that share a Redis: what one was told the other knows, and what becomes of them while it is away. */
import process from "node:process";
import * as assert from "uvu/assert";
import { createSeeder } from "../../src/seeder.ts";
import { readText } from "../helpers/bytes.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode, untilPeers } from "../helpers/loopback-node.ts";
import { freePort } from "../helpers/port.ts";
import { complains, run } from "../helpers/program.ts";
import { createRedis, redisAvailable } from "../helpers/redis.ts";
import { suite } from "../helpers/suite.ts";
import { ROOT, TRACKER } from "../helpers/tracker.ts";
import { ask, newAnnounce, renewal, startTracker } from "../helpers/tracker-program.ts";
import { until } from "../helpers/until.ts";

const ANNOUNCE = "/tracker/v1/announce", RENEW = "/tracker/v1/renew";
const PROVIDERS = `/routing/v1/providers/${ROOT}`, SCRAPE = `/tracker/v1/scrape?key=${ROOT}`;

suite("tracker: on Redis", (test, left) => {
  const missing = redisAvailable();
  if (missing !== undefined) return left("all", missing);

  /** So many trackers behind one address, on one machine. */
  async function trackers(count: number) {
    await using starting = new AsyncDisposableStack();
    const redis = starting.use(await createRedis());
    const { path } = starting.use(await createFolder());
    const words = ["--url", TRACKER, "--store", redis.url];
    const all = await Promise.all(
      Array.from({ length: count }, async () => starting.use(await startTracker(path, words))),
    );
    const running = starting.move();
    return { redis, all, [Symbol.asyncDispose]: () => running.disposeAsync() };
  }

  test("what one was told the other tells: announces, renewals, replays, counts, and who they are", async () => {
    await using story = await trackers(2);
    const [one, other] = story.all as [typeof story.all[0], typeof story.all[0]];
    assert.is(one.ready.id, other.ready.id);
    const body = await newAnnounce(TRACKER);
    const { status, json } = await ask(one.url, ANNOUNCE, body);
    assert.is(status, 200);
    assert.is((await ask(other.url, PROVIDERS)).json.Providers.length, 1);
    assert.is((await ask(other.url, RENEW, renewal(json.token))).status, 200);
    assert.is((await ask(other.url, ANNOUNCE, body)).status, 409);
    await ask(other.url, ANNOUNCE, await newAnnounce(TRACKER));
    for (const { url } of story.all) {
      assert.is((await ask(url, SCRAPE)).json.keys[ROOT].seeders, 2);
      assert.is((await ask(url, "/stats.json")).json.peers, 2);
    }
    // A crowd that announces everywhere at once: nobody is lost.
    const crowd = Array.from({ length: 60 }, async (_, i) => {
      const { url } = i % 2 ? one : other;
      assert.is((await ask(url, ANNOUNCE, await newAnnounce(TRACKER))).status, 200);
    });
    await Promise.all(crowd);
    assert.is((await ask(one.url, SCRAPE)).json.keys[ROOT].seeders, 62);
    // All of it goes by itself.
    const keys = (await story.redis.ask("--scan")).trim().split("\n");
    for (const key of keys) {
      assert.match(key, /^nethood:/);
      assert.ok(Number(await story.redis.ask("PTTL", key)) > 0, key);
    }
  });

  test("a Redis that was killed and started again has all that was answered", async () => {
    await using story = await trackers(2);
    const { redis, all: [one, other] } = story;
    const tokens: string[] = [];
    const crowd = Array.from({ length: 10 }, async () => {
      for (;;) {
        const { status, json } = await ask(one!.url, ANNOUNCE, await newAnnounce(TRACKER));
        if (status !== 200) return assert.is(status, 503);
        tokens.push(json.token);
        if (tokens.length === 100) await redis.kill();
      }
    });
    await Promise.all(crowd);
    assert.ok(tokens.length >= 100);
    await redis.start();
    const back = async () => (await ask(other!.url, RENEW, renewal(tokens[0]!))).status === 200;
    await until("the other tracker is back", back);
    for (const token of tokens) {
      assert.is((await ask(other!.url, RENEW, renewal(token))).status, 200);
    }
    assert.ok((await ask(other!.url, SCRAPE)).json.keys[ROOT].seeders >= tokens.length);
  });

  test("while it is away for ten seconds nobody waits: 503 and when to come again; then all is as it was", async () => {
    await using story = await trackers(1);
    const { redis, all: [tracker] } = story;
    const { url, child } = tracker!;
    const { token } = (await ask(url, ANNOUNCE, await newAnnounce(TRACKER))).json;
    await redis.kill();
    const fresh = `/routing/v1/providers/${ROOT.replace("bafybei", "bafkrei")}`;
    const name = "/routing/v1/ipns/k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r";
    const accept = { Accept: "application/vnd.ipfs.ipns-record" };
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const asked = Date.now();
      const all = await Promise.all([
        ask(url, fresh),
        ask(url, SCRAPE),
        ask(url, "/stats.json"),
        ask(url, RENEW, renewal(token)),
        ask(url, ANNOUNCE, await newAnnounce(TRACKER)),
        fetch(`${url}${name}`, { headers: accept }),
      ]);
      assert.equal(all.map(({ status }) => status), Array(6).fill(503));
      for (const { headers } of all) assert.is(headers.get("retry-after"), "5");
      assert.ok(Date.now() - asked < 1_000, `it took ${Date.now() - asked} ms`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    await redis.start();
    const back = async () => (await ask(url, RENEW, renewal(token))).status === 200;
    await until("the tracker is back", back, 5_000);
    assert.is((await ask(url, SCRAPE)).json.keys[ROOT].seeders, 1);
    for (const path of [fresh, "/stats.json"]) {
      await until(path, async () => (await ask(url, path)).status === 200, 2_000);
    }
    // Whoever runs it is told once each.
    const notes: string[] = [];
    await child.stop();
    for await (const line of child.stdout) if (/The store/.test(line)) notes.push(line);
    assert.match(notes.join("\n"), /^.*cannot be used now.*\n.*is back.*$/);
  });

  test("a Redis that says nothing holds nobody up for long", async () => {
    await using story = await trackers(1);
    const { redis, all: [tracker] } = story;
    const { url } = tracker!;
    const { token } = (await ask(url, ANNOUNCE, await newAnnounce(TRACKER))).json;
    process.kill(redis.pid, "SIGSTOP");
    try {
      for (let i = 0; i < 4; i++) {
        const asked = Date.now();
        const { status } = await ask(url, RENEW, renewal(token));
        assert.is(status, 503);
        // The first one finds out.
        assert.ok(Date.now() - asked < (i === 0 ? 3_000 : 500), `${Date.now() - asked} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5_000));
    } finally {
      process.kill(redis.pid, "SIGCONT");
    }
    const back = async () => (await ask(url, RENEW, renewal(token))).status === 200;
    await until("the tracker is back", back, 10_000);
  });

  test("readers get through while the tracker's Redis is away, and find each other by it again", async () => {
    await using redis = await createRedis();
    await using folder = await createFolder();
    await using site = await createFolder({ "index.html": "hello" });
    await using tracker = await startTracker(folder.path, ["--store", redis.url]);
    const options = { trackers: [tracker.url] };
    await using seeder = await createLoopbackNode(options);
    const { cid } = await createSeeder(seeder).publish(site.path, { name: "docs.example.org" });
    const known = async () =>
      (await ask(tracker.url, `/routing/v1/providers/${cid}`)).json.Providers.length > 0;
    await until("the seeder is known", known);
    await redis.kill();
    await using neighbour = await createLoopbackNode(options);
    await neighbour.meet(seeder);
    await untilPeers(neighbour, 1);
    const began = Date.now();
    assert.is(await readText(neighbour, `/ipfs/${cid}/index.html`), "hello");
    assert.ok(Date.now() - began < 5_000, `it took ${Date.now() - began} ms`);
    await redis.start();
    await until("the seeder is known again", async () => {
      const { status, json } = await ask(tracker.url, `/routing/v1/providers/${cid}`);
      return status === 200 && json.Providers.length > 0;
    });
    await using stranger = await createLoopbackNode(options);
    assert.is(await readText(stranger, `/ipfs/${cid}/index.html`), "hello");
  });

  test("its password opens it and is told to nobody; without it, and without a Redis, a sentence says so", async () => {
    await using redis = await createRedis({ password: "geheim/7" });
    await using folder = await createFolder();
    const place = redis.url.slice(redis.url.indexOf("@") + 1);
    const tracker = (...words: string[]) => {
      const line = ["tracker", "--listen", "127.0.0.1:0", ...words];
      return run(line, { dir: folder.path, place: [] });
    };
    const secret = (outcome: { said: string; stdout: string }) =>
      assert.not.match(outcome.said + outcome.stdout, /geheim|falsch/);
    for (const user of ["", ":falsch@", "nobody:geheim%2F7@"]) {
      const refused = await tracker("--store", `redis://${user}${place}`, "--debug");
      assert.is(refused.code, 1);
      assert.match(refused.said, /refuses this user and password\.\n.*--store redis:\/\/:PASSWORD/);
      secret(refused);
    }
    const away = `redis://:geheim@127.0.0.1:${await freePort()}`;
    const unreachable = await tracker("--store", away);
    complains(unreachable, 1, /cannot be used now \(ECONNREFUSED\)\.\n +Start the Redis or Valkey/);
    secret(unreachable);
    for (
      const url of [
        ...["http://:geheim@localhost", "redis://", ":geheim@localhost", "redis://:%GHgeheim@x"],
        ...["redis://:geheim@x/first", "redis://:geheim@x/?db=1", "redis://:geheim@x:99999"],
      ]
    ) {
      const wrong = await tracker("--store", url);
      complains(wrong, 2, /Write --store redis:\/\/127\.0\.0\.1:6379/);
      secret(wrong);
    }
    complains(await run(["--store", "redis://x"], { place: [] }), 2, /does not belong/);

    const running = await startTracker(folder.path, [], { NETHOOD_STORE: redis.url });
    assert.is(running.ready.store, place);
    assert.is((await ask(running.url, "/stats.json")).json.peers, 0);
    await running.child.stop();
    let stdout = "";
    for await (const line of running.child.stdout) stdout += line;
    secret({ said: running.child.log, stdout });
  });
});
