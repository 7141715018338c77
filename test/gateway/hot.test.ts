/** Answers that are ready: the same as those that are made, for as long as they hold, and made once for all who ask at once. */
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import type { ServerTraits } from "../../gateway/file.ts";
import { withHot } from "../../gateway/hot.ts";
import type { Node } from "../../src/node.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const GATEWAY = "http://127.0.0.1:7080";
const BROWSER =
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";

/** Longest time for one of these tests, in milliseconds: none of them takes three seconds. */
const LIMIT_MS = 20_000;

/** A node that counts what is opened. */
function counted(node: Node): Node & { opens: number } {
  const open: Node["open"] = (...args) => {
    counting.opens++;
    return node.open(...args);
  };
  const locate: Node["locate"] = (...args) => {
    counting.opens++;
    return node.locate(...args);
  };
  const counting = Object.assign(Object.create(node), { opens: 0, open, locate });
  return counting;
}

/** All that a client sees. A second may pass between two answers. */
async function seen(response: Response): Promise<Record<string, unknown>> {
  const headers = Object.fromEntries(response.headers);
  const age = /^public, max-age=(\d+)$/.exec(headers["cache-control"] ?? "");
  if (age) headers["cache-control"] = Number(age[1]) > 50 ? "about a minute" : age[0];
  return { status: response.status, headers, body: await response.text() };
}

suite("gateway: ready answers", (test) => {
  test("they are those that are made, and nothing is opened for them", async () => {
    let node: ReturnType<typeof counted>;
    await using site = await createSite({
      "index.html": "<p>Grüße</p>",
      "empty.css": "",
      "large.bin": new Uint8Array(700_000).fill(7),
      "docs/a.txt": "a",
      "huge.bin": new Uint8Array(1_100_000),
    }, { wrap: (plain) => node = counted(plain) });
    const file = `${GATEWAY}/ipfs/${site.cid}/docs/a.txt`;
    const named = `${GATEWAY}/ipns/${SITE}/docs/a.txt`;
    const etag = (await site.ask(file)).headers.get("etag")!;
    const ready: [string, RequestInit?][] = [
      [file],
      [named],
      [`http://${SITE}/`],
      [`http://${SITE}/index.html`],
      [`http://${SITE}/empty.css`],
      [`http://${SITE}/large.bin`],
      [`http://docs-example-org.ipns.localhost:7080/docs/a.txt`],
      [`http://${site.cid}.ipfs.localhost:7080/docs/a.txt`],
    ];
    const kinds: RequestInit[] = [
      {},
      { method: "HEAD" },
      { headers: { Accept: BROWSER } },
      { headers: { "If-None-Match": '"other"' } },
      { headers: { "If-None-Match": "*" } },
      { method: "HEAD", headers: { "If-None-Match": `W/${etag}, "other"` } },
    ];
    for (const [url] of ready) {
      await (await site.ask(url)).text();
      for (const init of kinds) {
        const made = await seen(await createGateway(node!).fetch(new Request(url, init)));
        await (await site.ask(url, init)).text();
        const before = node!.opens;
        assert.equal(await seen(await site.ask(url, init)), made, `${url} ${JSON.stringify(init)}`);
        // In this order: an answer that was cloned is cloned for everybody from then on.
        for (const shares of ["bytes", "clones"] as const) {
          for (let time = 1; time <= 2; time++) {
            const shared = await site.app.fetch(new Request(url, init), { shares });
            const what = `${shares}, ${time}: ${url} ${JSON.stringify(init)}`;
            assert.equal(await seen(shared), made, what);
          }
        }
        assert.is(node!.opens, before, `${url} ${JSON.stringify(init)} was opened again`);
      }
    }
    const made: [string, RequestInit?][] = [
      [file, { headers: { Range: "bytes=0-0" } }],
      [file, { headers: { "Cache-Control": "no-cache" } }],
      [file, { headers: { Accept: "application/vnd.ipld.raw" } }],
      [file, { headers: { Accept: "text/html, application/x-tar" } }],
      [file, { headers: { "Service-Worker": "script" } }],
      [`${file}?download=true`],
      [`${GATEWAY}/ipfs/${site.cid}/huge.bin`],
      [`${GATEWAY}/ipfs/${site.cid}/docs`, { redirect: "manual" }],
      [`${GATEWAY}/ipfs/${site.cid}/missing`],
      [`${GATEWAY}/ipfs/${site.cid}/missing`, { headers: { Accept: BROWSER } }],
    ];
    for (const [url, init] of made) {
      const expected = await seen(await createGateway(node!).fetch(new Request(url, init)));
      const before = node!.opens;
      for (let time = 0; time < 2; time++) {
        assert.equal(await seen(await site.ask(url, init)), expected, `${url} ${init?.headers}`);
      }
      assert.ok(node!.opens >= before + 2, `${url} ${JSON.stringify(init)} was not opened`);
    }
    const options = await site.ask(file, { method: "OPTIONS" });
    assert.is(options.status, 204);
    assert.is((await site.ask(file, { method: "POST", body: "x" })).status, 405);
  });

  test("a name's new version comes when the old one has run out", async () => {
    await using site = await createSite({ "old/a.txt": "old", "new/a.txt": "new" });
    const url = `${GATEWAY}/ipns/brief.example.org/a.txt`;
    const zone = (folder: string) => {
      site.dns.zone["_dnslink.brief.example.org"] = {
        txt: [`dnslink=/ipfs/${site.cid}/${folder}`],
        ttl: 2,
      };
    };
    zone("old");
    assert.is(await (await site.ask(url)).text(), "old");
    zone("new");
    assert.is(await (await site.ask(url)).text(), "old");
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    assert.is(await (await site.ask(url)).text(), "new");
  });

  test("the time that a name has left is counted down to its end", async () => {
    for (const shares of ["clones", "bytes", undefined] as const) {
      const made = maker({ "cache-control": "public, max-age=3" });
      const ages: (string | null)[] = [];
      for (const at of [0, 500, 1_500, 2_900, 3_000]) {
        made.clock = at;
        ages.push((await made.ask("/a", {}, shares && { shares })).headers.get("cache-control"));
      }
      const left = [3, 3, 2, 1, 3].map((seconds) => `public, max-age=${seconds}`);
      assert.equal(ages, left);
      assert.is(made.calls, 2);
    }
  });

  test("whoever gets an answer may change it: it is theirs alone", async () => {
    for (const shares of ["clones", "bytes", undefined] as const) {
      const made = maker();
      for (let time = 0; time < 3; time++) {
        const { headers } = await made.ask("/a", {}, shares && { shares });
        assert.is(headers.get("x-seen"), null, `${shares}, ${time}`);
        headers.set("x-seen", "yes");
      }
      assert.is(made.calls, 1);
    }
  });

  test("a server is told of each body that it gets whole", async () => {
    const made = maker();
    const told: number[] = [];
    const handedOver = (bytes: number) => told.push(bytes);
    for (let time = 0; time < 2; time++) {
      await made.ask("/abc", {}, { shares: "clones", handedOver });
    }
    await maker().ask("/abc", {}, { handedOver });
    assert.equal(told, [4, 4]);
  });

  test("a page that is read for long is made anew once a minute, so that its visits are noted", async () => {
    const made = maker();
    for (const at of [0, 59_999, 60_000, 60_001, 119_999]) {
      made.clock = at;
      await (await made.ask("/a")).text();
    }
    assert.is(made.calls, 2);
  });

  test("errors, answers that do not hold and answers of others are made each time", async () => {
    const answers: [number, Record<string, string>][] = [
      [404, { "cache-control": "public, max-age=9" }],
      [200, { "cache-control": "no-cache" }],
      [200, { "cache-control": "public, max-age=0" }],
      [200, { etag: "" }],
      [200, { "x-ipfs-roots": "" }],
    ];
    for (const [status, headers] of answers) {
      const made = maker(headers, status);
      for (let time = 0; time < 3; time++) await (await made.ask("/a")).text();
      assert.is(made.calls, 3, JSON.stringify(headers));
    }
  });

  test("memory is bounded: what finds no place is made each time, and is served all the same", async () => {
    const made = maker({}, 200, { bytes: 8_000 });
    for (let time = 0; time < 3; time++) {
      for (const path of ["/a", "/b", "/c", "/d", "/e"]) {
        assert.is(await (await made.ask(path)).text(), path);
      }
    }
    assert.is(made.calls, 5 + 2 + 2, "three of five fit");
  });

  test("what a proxy says of the request counts where it is believed", async () => {
    for (const proxied of [true, false]) {
      const made = maker({}, 200, { proxied });
      const headers = { "X-Forwarded-Host": "docs.example.org" };
      for (let time = 0; time < 3; time++) await (await made.ask("/a", { headers })).text();
      assert.is(made.calls, proxied ? 3 : 1);
    }
  });

  test("many who ask at once get what is made once, an error too, though it is not kept", async () => {
    let node: ReturnType<typeof counted>;
    await using site = await createSite({ "a.txt": "a" }, {
      wrap: (plain) => node = counted(plain),
    });
    for (const [path, status] of [["a.txt", 200], ["missing", 404]] as const) {
      node!.opens = 0;
      const ask = () => site.ask(`${GATEWAY}/ipfs/${site.cid}/${path}`);
      const answers = await Promise.all(Array.from({ length: 50 }, ask));
      const bodies = await Promise.all(answers.map((answer) => answer.text()));
      assert.ok(answers.every((answer) => answer.status === status));
      assert.is(new Set(bodies).size, 1);
      assert.is(node!.opens, 1, path);
    }
    await (await site.ask(`${GATEWAY}/ipfs/${site.cid}/missing`)).text();
    assert.is(node!.opens, 2);
  });

  test("who asked first may leave: the others get theirs", async () => {
    let first = true;
    const hot = withHot(() => {
      const left = first;
      first = false;
      return Promise.resolve(left ? new Response(null, { status: 499 }) : new Response("a"));
    });
    const ask = async () => (await hot(new Request(`${GATEWAY}/a`))).status;
    assert.equal(await Promise.all([ask(), ask(), ask()]), [499, 200, 200]);
  });

  test("a body in pieces comes piece by piece, and is ready once it was read whole", async () => {
    for (const length of [6, 7]) {
      let calls = 0;
      const pieces = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
      const hot = withHot(() => {
        calls++;
        return new Response(
          new ReadableStream({
            async start(body) {
              for (const { promise } of pieces) {
                body.enqueue(new TextEncoder().encode(await promise));
              }
              body.close();
            },
          }),
          { headers: { ...CONTENT, "content-length": String(length) } },
        );
      });
      pieces[0].resolve("abc");
      const reader = (await hot(new Request(`${GATEWAY}/a`))).body!.getReader();
      assert.is(new TextDecoder().decode((await reader.read()).value), "abc");
      pieces[1].resolve("def");
      assert.is(new TextDecoder().decode((await reader.read()).value), "def");
      assert.ok((await reader.read()).done);
      assert.is(await (await hot(new Request(`${GATEWAY}/a`))).text(), "abcdef");
      assert.is(calls, length === 6 ? 1 : 2, "a body that was cut short is not kept");
    }
  });
}, LIMIT_MS);

const CONTENT = {
  "cache-control": "public, max-age=29030400, immutable",
  etag: '"a"',
  "x-ipfs-roots": "a",
};

/** Makes answers whose body is the path; an empty header is left out. */
function maker(
  headers: Record<string, string> = {},
  status = 200,
  options: { bytes?: number; proxied?: boolean } = {},
) {
  const all = Object.entries({ ...CONTENT, ...headers }).filter(([, value]) => value !== "");
  const made = {
    calls: 0,
    clock: 0,
    ask: async (path: string, init?: RequestInit, traits: ServerTraits = {}) =>
      await hot(new Request(`${GATEWAY}${path}`, init), traits),
  };
  const hot = withHot((request: Request, _traits: ServerTraits) => {
    made.calls++;
    const body = new URL(request.url).pathname;
    return new Response(body, {
      status,
      headers: [...all, ["content-length", String(body.length)]] as [string, string][],
    });
  }, { ...options, now: () => made.clock });
  return made;
}
