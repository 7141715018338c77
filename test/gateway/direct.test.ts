/** A server's ready answers, as they come over the wire: the same as made ones, and found under their own address alone. */
import process from "node:process";
import * as assert from "uvu/assert";
import type { withHot } from "../../gateway/hot.ts";
import { serve } from "../../gateway/serve.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { parse, send } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

const LARGE = new Uint8Array(300_000).fill(120);

type Fetch = ReturnType<typeof withHot>;

/** A gateway on a socket, and how many requests came to its `fetch`. */
async function createServed() {
  await using opened = new AsyncDisposableStack();
  const site = opened.use(await createSite({ "a.txt": "a text", "large.txt": LARGE }));
  const fetch = site.app.fetch as unknown as Fetch;
  const counted = (...args: Parameters<Fetch>) => {
    served.passed++;
    return fetch(...args);
  };
  const app = { fetch: Object.assign(counted, { ready: fetch.ready }) };
  const { url } = opened.use(await serve(app, { port: 0 }));
  const kept = opened.move();
  const served = {
    passed: 0,
    site,
    host: new URL(url).host,
    /** All of an answer but the time of day, and what the server adds by itself. */
    async ask(target: string, fields: Record<string, string> = {}, method = "GET") {
      const all = { Host: served.host, ...fields, Connection: "close" };
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
      const text = [`${method} ${target} HTTP/1.1`, ...lines, "", ""].join("\r\n");
      const { headers: { date: _, vary: __, ...headers }, ...rest } = parse(await send(url, text));
      return { ...rest, headers };
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
  return served;
}

suite("gateway: ready answers on the wire", (test) => {
  test("they are as they were made, and on Node no Request is made for them", async () => {
    await using served = await createServed();
    const { site, ask } = served;
    const path = `/ipfs/${site.cid}/a.txt`;
    const { headers: { etag } } = await ask(path);
    const asks: [string, Record<string, string>?][] = [
      [path],
      [`/ipfs/${site.cid}/large.txt`],
      ["/a.txt", { Host: SITE }],
      [path, { "If-None-Match": etag! }],
      [path, { "If-None-Match": '"another"' }],
    ];
    for (const [target, fields] of asks) {
      const made = await ask(target, fields);
      const before = served.passed;
      const ready = await ask(target, fields);
      assert.equal(ready, made, `${target} ${JSON.stringify(fields)}`);
      if (!process.versions.deno) assert.is(served.passed, before, target);
    }
    const unchanged = await ask(path, { "If-None-Match": etag! });
    assert.is(unchanged.status, 304);
    assert.is(unchanged.headers["access-control-allow-origin"], "*");
  });

  test("no other form of an address finds them, and whoever asks for more gets it", async () => {
    await using served = await createServed();
    const { site, ask, host } = served;
    const path = `/ipfs/${site.cid}/a.txt`;
    for (let times = 0; times < 2; times++) await ask(path);
    const split = path.lastIndexOf("/");
    const parts = { Host: host + path.slice(0, split) };
    // Deno's server makes a URL of the two, and asks for that.
    const refused = process.versions.deno ? 200 : 400;
    assert.is((await ask(path.slice(split), parts)).status, refused, "a Host with a path");
    for (
      const [target, fields, status] of [
        [path, { Range: "bytes=2-5" }, 206],
        [path, { Range: "bytes=90-" }, 416],
        [path, { Accept: "application/vnd.ipld.raw" }, 200],
        [`${path}?format=raw`, {}, 200],
        // One refuses it, the other resolves it.
        [`/ipfs/${site.cid}/x/../a.txt`, {}, process.versions.deno ? 400 : 200],
        [`http://${host}${path}`, { Host: "elsewhere.example" }, 200],
        [path, { "Cache-Control": "only-if-cached" }, 200],
        [path, { "Service-Worker": "script" }, 200],
      ] as const
    ) {
      const before = served.passed;
      const what = `${target} ${JSON.stringify(fields)}`;
      assert.is((await ask(target, fields)).status, status, what);
      assert.is(served.passed, before + 1, target);
    }
    const head = await ask(path, {}, "HEAD");
    assert.equal([head.headers["content-length"], head.body], ["6", ""]);
    assert.is((await ask(path, {}, "POST")).status, 405);
  });
});
