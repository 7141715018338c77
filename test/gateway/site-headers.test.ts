/** A site that says what holds for its pages; only where it has an origin of its own. */
import * as assert from "uvu/assert";
import { withHot } from "../../gateway/hot.ts";
import { addFolder } from "../../src/content/write.ts";
import type { Node } from "../../src/node.ts";
import { addFiles, createFolder, type Files } from "../helpers/folder.ts";
import { createSite, SITE, type Site } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const FILES: Files = {
  "_headers": `/*
  X-Frame-Options: DENY
  Content-Security-Policy: default-src 'self'
  Cache-Control: public, max-age=31536000
/docs/*
  Link: </a.css>; rel=preload; as=style
/app/:page
  X-Robots-Tag: noindex
`,
  "_redirects": "/app/* /app/index.html 200\n/* /404.html 404\n",
  "index.html": "home",
  "404.html": "my 404",
  "docs/index.html": "docs",
  "app/index.html": "app",
  "list/a.txt": "a",
};

const HOME = `http://${SITE}`;

/** Files that are a version of the site, without publishing it. */
async function addVersion(site: Site, files: Files): Promise<string> {
  await using folder = await createFolder();
  await addFiles(folder.path, files);
  return String((await addFolder(site.node.helia.blockstore, folder.path)).cid);
}

/** The fields that only the site can have said. */
function said({ headers }: Response): Record<string, string | null> {
  const names = ["x-frame-options", "content-security-policy", "link", "x-robots-tag"];
  return Object.fromEntries(
    names.map((name) => [name, headers.get(name)]).filter(([, value]) => value !== null),
  );
}

const ALL = { "x-frame-options": "deny", "content-security-policy": "default-src 'self'" };

suite("gateway: a site's headers", (test) => {
  test("its pages have them wherever it has an origin, made or ready, whole or in part", async () => {
    await using site = await createSite(FILES);
    const homes = [
      HOME,
      "http://docs-example-org.ipns.localhost:7080",
      `http://${site.key}.ipns.localhost:7080`,
      `http://${site.cid}.ipfs.localhost:7080`,
    ];
    for (const home of homes) {
      const held = home.includes(".ipfs.") ? /immutable/ : /^public, max-age=[56]\d$/;
      const first = await site.ask(`${home}/docs/`);
      const expected = { ...ALL, link: "</a.css>; rel=preload; as=style" };
      const tag = { "If-None-Match": first.headers.get("ETag")! };
      const kinds: [RequestInit, number][] = [
        [{}, 200],
        [{}, 200],
        [{ method: "HEAD" }, 200],
        [{ headers: tag }, 304],
        [{ headers: tag }, 304],
        [{ headers: { Range: "bytes=0-1" } }, 206],
      ];
      assert.equal(said(first), expected, home);
      for (const [init, status] of kinds) {
        const response = await site.ask(`${home}/docs/`, init);
        assert.is(response.status, status);
        assert.equal(said(response), expected, `${home} ${JSON.stringify(init)}`);
        assert.match(response.headers.get("Cache-Control")!, held, "what the gateway says stays");
        await response.text();
      }
      assert.equal(said(await site.ask(`${home}/`)), ALL);
      for (const shares of ["bytes", "clones"] as const) {
        const shared = await site.app.fetch(new Request(`${home}/docs/`), { shares });
        assert.equal(said(shared), expected, `${home} ${shares}`);
      }
    }
    assert.equal(site.log, [
      `/ipns/${SITE}/_headers is not followed: line 4 has the header Cache-Control, ` +
      "which is not one that a site may set here.",
    ], "told once");
  });

  test("a page in the place of a lost one has those of the path that was asked for", async () => {
    await using site = await createSite(FILES);
    const page = await site.ask(`${HOME}/app/x`);
    assert.is(await page.text(), "app");
    assert.equal(said(page), { ...ALL, "x-robots-tag": "noindex" });
    const lost = await site.ask(`${HOME}/x/y`);
    assert.is(lost.status, 404);
    assert.equal(said(lost), ALL);
  });

  test("our own pages stay ours, and so do sites that share an origin", async () => {
    await using site = await createSite(FILES);
    for (const root of [`/ipfs/${site.cid}`, `/ipns/${SITE}`, `/ipns/${site.key}`]) {
      assert.equal(said(await site.ask(`http://127.0.0.1${root}/docs/`)), {}, root);
    }
    const listing = await site.ask(`${HOME}/list/`);
    assert.match(listing.headers.get("Content-Security-Policy")!, /^default-src 'none'/);
    assert.is(listing.headers.get("X-Frame-Options"), null);
    assert.equal(said(await site.ask(`${HOME}/docs`)), {}, "a redirect");
    assert.equal(said(await site.ask(`${HOME}/docs/index.html?format=raw`)), {}, "a block");
  });

  test("a version has its own, also where the site is a folder of another tree", async () => {
    await using site = await createSite({ "index.html": "home" });
    assert.equal(said(await site.ask(`${HOME}/`)), {});
    const next = await addVersion(site, { "s/_headers": FILES._headers!, "s/index.html": "home" });
    site.dns.zone["_dnslink.next.example.org"] = { txt: [`dnslink=/ipfs/${next}/s`], ttl: 60 };
    assert.equal(said(await site.ask("http://next.example.org/")), ALL);
    assert.equal(
      said(await site.ask(`http://${next}.ipfs.localhost/s/`)),
      {},
      "not its first folder",
    );
  });

  test("a file of 5 MB, or a folder of that name, is refused, and the site opens", async () => {
    const files: [Files, string][] = [
      [
        { _headers: "/*\n  X-Frame-Options: DENY\n".padEnd(5_000_000, "#") },
        "is not followed: it is larger than 64 KiB.",
      ],
      [{ "_headers/a.txt": "a" }, "counts for nothing: it is not a file."],
    ];
    for (const [broken, says] of files) {
      const unread = (node: Node): Node => ({
        ...node,
        async open(...asked) {
          const opened = await node.open(...asked);
          const file = typeof asked[0] !== "string" && asked[0].path[0] === "_headers";
          if (!file || opened.entry.kind !== "file") return opened;
          const bytes = () => assert.unreachable("it is read") as never;
          return { ...opened, entry: { ...opened.entry, bytes } };
        },
      });
      const all = { ...broken, "index.html": "home", "a.txt": "a" };
      await using site = await createSite(all, { wrap: unread });
      for (const path of ["/", "/a.txt"]) {
        const response = await site.ask(HOME + path);
        assert.is(response.status, 200);
        assert.equal(said(response), {});
        assert.match(response.headers.get("Cache-Control")!, /^public/);
      }
      assert.equal(site.log, [`/ipns/${SITE}/_headers ${says}`]);
    }
  });

  test("of a file with nothing but mistakes, some are told", async () => {
    await using site = await createSite({ _headers: "x\n".repeat(9), "index.html": "home" });
    assert.is((await site.ask(`${HOME}/`)).status, 200);
    assert.is(site.log.length, 6);
    assert.match(site.log[5]!, "/_headers has 4 more lines that are not followed.");
  });

  test("the file is read once, and kept with the site", async () => {
    let read = 0;
    const counted = (node: Node): Node => ({
      ...node,
      open: (address, options) => {
        if (typeof address !== "string" && address.path[0] === "_headers") read++;
        return node.open(address, options);
      },
    });
    await using site = await createSite(FILES, { wrap: counted });
    for (const path of ["/", "/docs/", "/404.html", "/app/x", "/"]) await site.ask(HOME + path);
    assert.is(read, 1);
    await until(
      "it is kept",
      () => site.node.visits().some(({ address }) => address === `/ipns/${SITE}/_headers`),
    );
  });

  test("where the file cannot be had the page comes soon, and is not kept", async () => {
    await using site = await createSite(FILES);
    await using bare = await createSite({ "index.html": "x" });
    const { entry } = await site.node.open(`${HOME}/index.html`);
    for (const cid of [site.cid, entry.cid]) {
      await bare.node.helia.blockstore.put(cid as never, await site.node.blocks.get(cid));
    }
    const url = `http://${site.cid}.ipfs.localhost/index.html`;
    for (let i = 0; i < 2; i++) {
      const response = await bare.ask(url);
      assert.is(await response.text(), "home");
      assert.is(response.headers.get("Cache-Control"), "no-cache");
    }
    const near = await bare.ask(url, { headers: { "Cache-Control": "only-if-cached" } });
    assert.is(near.status, 200);
    assert.is(bare.log.length, 1, "one try for both");
    assert.match(
      bare.log[0]!,
      /_headers could not be read, its site is shown without: .*not on this machine/,
    );
    assert.equal(said(await bare.ask(url)), {});
  });

  test("in a ready answer they take room, too", async () => {
    let made = 0;
    const ask = withHot((request: Request) => {
      made++;
      return new Response("", {
        headers: {
          "Cache-Control": "public, max-age=60",
          "Content-Length": "0",
          "Content-Security-Policy": "x".repeat(2_000),
          ETag: request.url,
          "X-Ipfs-Roots": "x",
        },
      });
    }, { bytes: 8_000 });
    for (const path of ["a", "b", "a", "b"]) {
      await (await ask(new Request(`${HOME}/${path}`))).text();
    }
    assert.is(made, 3, "one of two fits");
  });

  test("a file that is long in coming holds nobody up", async () => {
    const come = Promise.withResolvers<void>();
    const slow = (node: Node): Node => ({
      ...node,
      async open(address, options) {
        if (typeof address !== "string" && address.path[0] === "_headers") await come.promise;
        return await node.open(address, options);
      },
    });
    await using site = await createSite(FILES, { wrap: slow });
    const began = performance.now();
    const early = await site.ask(`${HOME}/`);
    assert.ok(performance.now() - began < 5_000);
    assert.is(early.status, 200);
    assert.equal(said(early), {});
    assert.is(early.headers.get("Cache-Control"), "no-cache");
    come.resolve();
    assert.equal(said(await site.ask(`${HOME}/`)), ALL);
  });
});
