/** What a Redis may be that a tracker cannot use as it is: too old, full, or with a certificate that nobody vouches for. */
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { RedisStore } from "../../src/tracker/redis.ts";
import { parseStoreUrl } from "../../src/tracker/redis-url.ts";
import { createFolder } from "../helpers/folder.ts";
import { freePort } from "../helpers/port.ts";
import { localhost } from "../helpers/process.ts";
import { complains, run } from "../helpers/program.ts";
import { createRedis, redisAvailable } from "../helpers/redis.ts";
import { suite } from "../helpers/suite.ts";
import { at, AWAY, createAnnouncer, createTestTracker, ROOT } from "../helpers/tracker.ts";
import { ask, newAnnounce, startTracker } from "../helpers/tracker-program.ts";

const ANNOUNCE = "/tracker/v1/announce", RENEW = "/tracker/v1/renew";

/** Memory that a full Redis has left, in bytes: for some announces. */
const ROOM = 200_000;

suite("tracker: a Redis that is too old", (test) => {
  test("is told in words; one that is new enough, or does not say, is used", async () => {
    const line = ["tracker", "--listen", "127.0.0.1:0", "--store"];
    for (const version of ["6.2.14", "5.0.3"]) {
      await using redis = await createRedisOfOld(`redis_version:${version}\r\n`);
      await using folder = await createFolder();
      const refused = await run([...line, redis.url], { dir: folder.path, place: [] });
      complains(refused, 1, /The Redis at 127\.0\.0\.1:\d+ is too old\.\n +Use version 7 or newer/);
    }
    for (const info of ["redis_version:7.0.15\r\n", "redis_version:10.1.0\r\n", undefined]) {
      await using redis = await createRedisOfOld(info);
      await using _ = await RedisStore.open(parseStoreUrl(redis.url));
    }
  });
});

suite("tracker: a Redis that refuses", (test, left) => {
  const missing = redisAvailable();
  if (missing !== undefined) return left("all", missing);

  test("a Redis that is full takes nobody new, but keeps who is there and forgets who is over; that is told once", async () => {
    await using redis = await createRedis();
    const told: string[] = [];
    await using store = await RedisStore.open(parseStoreUrl(redis.url), (line) => told.push(line));
    await using t = await createTestTracker({ store, app: { rate: { burst: 10_000 } } });
    const fields = { seeds: [ROOT], addrs: [at(AWAY)] };
    const announce = async () => await t.announce(await createAnnouncer(), fields);
    const { token } = (await announce()).json;
    await redis.ask("CONFIG", "SET", "maxmemory-policy", "noeviction");
    const [, used] = /^used_memory:(\d+)/m.exec(await redis.ask("INFO", "memory"))!;
    await redis.ask("CONFIG", "SET", "maxmemory", String(Number(used) + ROOM));
    let taken = 1;
    while (taken < 1_000 && (await announce()).status === 200) taken++;
    assert.ok(taken > 10 && taken < 1_000, `${taken} were taken`);
    for (let i = 0; i < 3; i++) {
      const { status, headers, json } = await announce();
      assert.equal([status, headers.get("retry-after")], [503, "5"]);
      assert.match(json.error, /come again/);
      const { keys } = (await t.ask(`/tracker/v1/scrape?key=${ROOT}`)).json;
      assert.is(keys[ROOT].seeders, taken);
      assert.is((await t.providers()).length, Math.min(taken, 100));
      assert.is((await t.post(RENEW, { token })).status, 200);
    }
    assert.is(told.length, 1, told.join("\n"));
    assert.match(told[0]!, /^The store 127\.0\.0\.1:\d+ is full: it keeps who is there/);
    // Who is over makes room for others.
    assert.is(await store.expire(t.clock.now + 7_200_000), taken);
    assert.is((await announce()).status, 200);
    await t.tracker.checked();
    assert.equal(told.slice(1), [`The store 127.0.0.1:${redis.port} is back.`]);
    assert.is((await store.stats()).peers, 1);
  });

  test("rediss:// speaks TLS, and only to who has a certificate that is believed", async () => {
    await using folder = await createFolder();
    const [ca, caKey, cert, key] = ["ca", "ca-key", "cert", "key"].map((name) =>
      join(folder.path, name)
    ) as [string, string, string, string];
    const certify = (...words: string[]) =>
      localhost.run("openssl", [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-days", "2", ...words],
      ]);
    await certify("-subj", "/CN=ca", "-out", ca, "-keyout", caKey);
    await certify(
      ...["-subj", "/CN=redis", "-out", cert, "-keyout", key, "-CA", ca, "-CAkey", caKey],
      ...["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"],
    );
    await using redis = await createRedis({ password: "geheim", tls: { cert, key } });
    const words = ["--store", redis.url];
    const trust = { NODE_EXTRA_CA_CERTS: ca, DENO_CERT: ca };
    await using tracker = await startTracker(folder.path, words, trust);
    assert.is((await ask(tracker.url, ANNOUNCE, await newAnnounce(tracker.url))).status, 200);
    const line = ["tracker", "--listen", "127.0.0.1:0", "--store"];
    const options = { dir: folder.path, place: [] };
    const believed =
      /has a certificate that is not believed \(.+\)\.\n +Name the file of who signed/;
    complains(await run([...line, redis.url], options), 1, believed);
    const plain = await run([...line, redis.url.replace("rediss", "redis")], options);
    complains(plain, 1, /cannot be used now/);
  });
});

/** What an old Redis says when somebody comes: it is not to be had any more, so a socket says it. @param info undefined: it may not tell */
async function createRedisOfOld(info: string | undefined) {
  const answers: Record<string, string> = {
    PING: "+PONG\r\n",
    INFO: info === undefined
      ? "-NOPERM this user has no permissions to run the 'info' command\r\n"
      : `$${info.length}\r\n${info}\r\n`,
  };
  const server = createServer((socket) => {
    let heard = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      heard += data;
      const command = /^\*\d+\r\n\$\d+\r\n(\w+)\r\n(?:\$\d+\r\n[^\r]*\r\n)*/;
      for (let one; (one = command.exec(heard)); heard = heard.slice(one[0].length)) {
        socket.write(answers[one[1]!.toUpperCase()] ?? "+OK\r\n");
      }
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
