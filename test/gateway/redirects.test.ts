/** A site that leads on who asks for what it does not have; only where it has an origin of its own. */
import * as assert from "uvu/assert";
import type { Node } from "../../src/node.ts";
import type { Files } from "../helpers/folder.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const RULES = `# names of the old site
/old /new.html
/posts/:year/:slug /:year/:slug.html?from=blog&lang=en#top 302
/away/* https://example.org/:splat 308
/hidden/* /404.html 404
/gone/* /gone/ 410
/banned/* /banned.txt 451
/nowhere /missing.html 200
/circle /circle 200
/list /photos 200
/proxied https://example.org/ 200
/app/* /app/index.html 200
`;

const FILES: Files = {
  "_redirects": RULES,
  "new.html": "new",
  "404.html": "my 404",
  "gone/index.html": "my 410",
  "banned.txt": "my 451",
  "photos/a.txt": "a",
  "app/index.html": "the whole app",
  "app/real.txt": "real",
};

const HOME = `http://${SITE}`;

suite("gateway: redirects", (test) => {
  test("who asks for what is not there is led on, with their query", async () => {
    await using site = await createSite(FILES);
    const cases: [string, number, string][] = [
      ["/old", 301, "/new.html"],
      ["/old/", 301, "/new.html"],
      ["/old?a=1&b=%20", 301, "/new.html?a=1&b=%20"],
      ["/posts/2024/hi", 302, "/2024/hi.html?from=blog&lang=en#top"],
      ["/posts/2024/hi?lang=de&x", 302, "/2024/hi.html?from=blog&lang=de&x#top"],
      ["/away/a%20b/c?q=%22", 308, "https://example.org/a%20b/c?q=%22"],
      ["/away//%0D%0Ax", 308, "https://example.org/%0D%0Ax"],
    ];
    const label = SITE.replaceAll(".", "-");
    for (
      const home of [HOME, `http://${label}.ipns.localhost`, `http://${site.cid}.ipfs.localhost`]
    ) {
      for (const [path, status, location] of cases) {
        const response = await site.ask(home + path);
        assert.is(response.status, status, path);
        assert.is(response.headers.get("Location"), location, path);
        assert.is(await response.text(), "");
        const held = home.includes(".ipfs.") ? /immutable/ : /^public, max-age=[56]\d$/;
        assert.match(response.headers.get("Cache-Control")!, held);
      }
    }
  });

  test("another page in the place of a lost one is that page, with its tag, parts and length", async () => {
    await using site = await createSite(FILES);
    const { entry } = await site.node.open(`${HOME}/app/index.html`);
    const url = `${HOME}/app/some/page?x=1`;
    const page = await site.ask(url);
    assert.is(page.status, 200);
    assert.is(await page.text(), "the whole app");
    assert.is(page.headers.get("ETag"), `"${entry.cid}"`);
    assert.is(page.headers.get("Content-Type"), "text/html; charset=utf-8");
    assert.is(page.headers.get("X-Ipfs-Roots"), entry.roots.join(","));
    assert.match(page.headers.get("Cache-Control")!, /^public, max-age=[56]\d$/);

    const tag = { "If-None-Match": `"${entry.cid}"` };
    assert.is((await site.ask(url, { headers: tag })).status, 304);
    const part = await site.ask(url, { headers: { Range: "bytes=4-8" } });
    assert.is(part.status, 206);
    assert.is(await part.text(), "whole");
    const head = await site.ask(url, { method: "HEAD" });
    assert.is(head.status, 200);
    assert.is(head.headers.get("Content-Length"), "13");
    assert.is(await head.text(), "");
    assert.is(await (await site.ask(`${HOME}/app/real.txt`)).text(), "real", "what is there wins");
    const listing = await (await site.ask(`${HOME}/photos/`)).text();
    assert.match(listing, "a.txt", "a folder without a page is there, too");
  });

  test("a page that tells of an error does so whatever was asked of it", async () => {
    await using site = await createSite(FILES);
    const cases: [string, number, string][] = [
      ["/hidden/x", 404, "404.html"],
      ["/gone/x", 410, "gone/"],
      ["/banned/x", 451, "banned.txt"],
    ];
    for (const [path, status, file] of cases) {
      const tag = (await site.ask(`${HOME}/${file}`)).headers.get("ETag")!;
      for (const headers of [{}, { "If-None-Match": tag }, { Range: "bytes=0-1" }]) {
        const response = await site.ask(HOME + path, { headers });
        assert.is(response.status, status, path);
        assert.is(await response.text(), `my ${status}`);
        assert.is(response.headers.get("ETag"), tag);
        assert.match(response.headers.get("Cache-Control")!, /^public, max-age=[56]\d$/);
      }
      const head = await site.ask(HOME + path, { method: "HEAD" });
      assert.is(head.status, status);
      assert.is(head.headers.get("Content-Length"), "6");
      const byCid = await site.ask(`http://${site.cid}.ipfs.localhost${path}`);
      assert.is(byCid.status, status);
      assert.is(byCid.headers.get("Cache-Control"), "public, max-age=29030400, immutable");
    }
  });

  test("a rule that leads nowhere leaves it at 404", async () => {
    await using site = await createSite(FILES);
    for (const path of ["/nowhere", "/circle", "/list", "/proxied", "/other"]) {
      const response = await site.ask(HOME + path);
      assert.is(response.status, 404, path);
      assert.match(await response.text(), /nothing called "/);
      assert.is(response.headers.get("Cache-Control"), "no-store");
    }
  });

  test("where sites share an origin, and below a site's first folder, no rule counts", async () => {
    await using site = await createSite({
      ...FILES,
      "photos/_redirects": "/photos/* /new.html 200",
    });
    for (const root of [`/ipfs/${site.cid}`, `/ipns/${SITE}`, `/ipns/${site.key}`]) {
      for (const path of ["/old", "/app/some/page", "/hidden/x"]) {
        const response = await site.ask(`http://127.0.0.1${root}${path}`);
        assert.is(response.status, 404, root + path);
        assert.match(await response.text(), "nothing called");
      }
    }
    assert.is((await site.ask(`${HOME}/photos/x`)).status, 404);
  });

  test("a file that cannot be used says why, only to those who need it", async () => {
    const files: [Files, RegExp][] = [
      [{ _redirects: "/a /b\n/c /d 301!\n" }, /could not parse _redirects: line 2 has the status/],
      [{ _redirects: `#${"x".repeat(70_000)}` }, /redirects file size cannot exceed 64 KiB/],
      [{ "_redirects/a.txt": "a" }, /could not parse _redirects: it is not a file/],
    ];
    for (const [broken, says] of files) {
      await using site = await createSite({ ...broken, "index.html": "home" });
      assert.is(await (await site.ask(`${HOME}/`)).text(), "home");
      for (let i = 0; i < 2; i++) {
        const response = await site.ask(`${HOME}/x`);
        assert.is(response.status, 500);
        assert.match(await response.text(), says);
        assert.is(response.headers.get("Cache-Control"), "no-store");
      }
      assert.equal(site.log, [], "the publisher's mistake, not this node's");
    }
  });

  test("a file that cannot be read is an error, and not a site without rules", async () => {
    await using site = await createSite(FILES);
    await using bare = await createSite({ "index.html": "x" });
    await bare.node.helia.blockstore.put(site.cid, await site.node.blocks.get(site.cid));
    const response = await bare.ask(`http://${site.cid}.ipfs.localhost/old`);
    assert.is(response.status, 500);
    assert.match(await response.text(), /could not read _redirects: .*not on this machine/);
  });

  test("the file is read once, and kept with the site", async () => {
    let read = 0;
    const counted = (node: Node): Node => ({
      ...node,
      open: async (address, options) => {
        const opened = await node.open(address, options);
        const { entry } = opened;
        const file = typeof address !== "string" && address.path[0] === "_redirects";
        if (!file || entry.kind !== "file") return opened;
        const bytes: typeof entry.bytes = (...asked) => (read++, entry.bytes(...asked));
        return { ...opened, entry: { ...entry, bytes } };
      },
    });
    await using site = await createSite(FILES, { wrap: counted });
    for (let i = 0; i < 5; i++) assert.is((await site.ask(`${HOME}/old`)).status, 301);
    assert.is(read, 1);
    const visits = site.node.visits().map(({ address }) => address);
    assert.ok(visits.includes(`/ipns/${SITE}/_redirects`), "a neighbour gets it from here");
  });
});
