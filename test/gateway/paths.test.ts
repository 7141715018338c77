/** Sites as paths below one address: `http://127.0.0.1:7080/ipfs/<cid>/…` and `/ipns/<name>/…`. */
import { CID } from "multiformats/cid";
import { encode, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const GATEWAY = "http://127.0.0.1:7080";

suite("gateway: paths", (test) => {
  test("a file is the same by CID, by key, by name and from a CID of its own", async () => {
    await using site = await createSite({ "manual/intro.txt": "Hello, neighbour" });
    const roots = [`/ipfs/${site.cid}`, `/ipns/${site.key}`, `/ipns/${SITE}`];
    let etag: string | undefined;
    for (const root of roots) {
      const response = await site.ask(`${GATEWAY}${root}/manual/intro.txt`);
      assert.is(response.status, 200);
      assert.is(response.headers.get("X-Ipfs-Path"), `${root}/manual/intro.txt`);
      assert.is(response.headers.get("Access-Control-Allow-Origin"), "*");
      assert.is(await response.text(), "Hello, neighbour");
      etag = response.headers.get("ETag")!;
    }
    const own = await site.ask(`${GATEWAY}/ipfs/${etag!.replaceAll('"', "")}`);
    assert.is(await own.text(), "Hello, neighbour");
  });

  test("a folder is its index.html, once its address ends with a slash", async () => {
    await using site = await createSite({ "manual/index.html": "<h1>Manual</h1>" });
    for (const root of [`/ipfs/${site.cid}`, `/ipns/${SITE}`]) {
      const away = await site.ask(`${GATEWAY}${root}/manual?page=2&q=%C3%A4`);
      assert.is(away.status, 301);
      assert.is(away.headers.get("Location"), `${root}/manual/?page=2&q=%C3%A4`);
      const page = await site.ask(`${GATEWAY}${root}/manual/?page=2`);
      assert.is(page.status, 200);
      assert.is(page.headers.get("Content-Type"), "text/html; charset=utf-8");
      assert.is(page.headers.get("X-Ipfs-Path"), `${root}/manual/`);
      assert.is(await page.text(), "<h1>Manual</h1>");
    }
  });

  test("a redirect is good for as long as the name it stands on, and never leads to another host", async () => {
    await using site = await createSite({ "evil.com/x.txt": "x", "\\evil.com/x.txt": "x" });
    const byName = await site.ask(`${GATEWAY}/ipns/${SITE}/evil.com`);
    assert.match(byName.headers.get("Cache-Control")!, /^public, max-age=[56]\d$/);
    const byCid = await site.ask(`${GATEWAY}/ipfs/${site.cid}/evil.com`);
    assert.match(byCid.headers.get("Cache-Control")!, "immutable");
    for (const path of ["//evil.com", "/%5Cevil.com", "///evil.com"]) {
      const away = await site.ask(`http://${SITE}${path}`);
      assert.is(away.status, 301, path);
      assert.match(away.headers.get("Location")!, /^\/(%5C)?evil\.com\/$/);
    }
  });

  test("HEAD is GET without the body, whatever was asked", async () => {
    await using site = await createSite({
      "index.html": "<h1>Home</h1>",
      "photos/a.jpg": "\xff",
      "big.bin": new Uint8Array(3_000_000),
    });
    const cid = `/ipfs/${site.cid}`;
    const cases: [string, Record<string, string>?][] = [
      [`${GATEWAY}${cid}/`],
      [`${GATEWAY}${cid}/photos/`],
      [`${GATEWAY}${cid}/photos`],
      [`${GATEWAY}${cid}/big.bin`],
      [`${GATEWAY}${cid}/big.bin`, { Range: "bytes=5-2000000" }],
      [`${GATEWAY}${cid}/big.bin`, { Range: "bytes=3000000-" }],
      [`${GATEWAY}${cid}/photos/`, { "If-None-Match": "*" }],
      [`${GATEWAY}${cid}/nothing`],
      [`${GATEWAY}${cid}/nothing`, { Accept: "text/html" }],
      [`${GATEWAY}/ipfs/nonsense`],
      [`${GATEWAY}/ipns/missing.example.org/`],
      [`${GATEWAY}/favicon.ico`],
      [`${GATEWAY}/`],
      ["http://localhost:7080/"],
      ["http://192.0.2.1:7080/"],
      [`http://localhost:7080${cid}/`],
      [`http://${SITE}/`],
    ];
    for (const [url, headers = {}] of cases) {
      const get = await site.ask(url, { headers });
      const body = await get.arrayBuffer();
      const head = await site.ask(url, { method: "HEAD", headers });
      const what = `${url} ${JSON.stringify(headers)}`;
      assert.is(head.status, get.status, what);
      assert.equal(Object.fromEntries(head.headers), Object.fromEntries(get.headers), what);
      assert.is((await head.arrayBuffer()).byteLength, 0, what);
      if (get.status !== 304) {
        assert.is(Number(get.headers.get("Content-Length") ?? NaN), body.byteLength, what);
      }
    }
  });

  test("content is read, not changed", async () => {
    await using site = await createSite({ "index.html": "x" });
    for (const url of [`${GATEWAY}/ipfs/${site.cid}/`, `http://${SITE}/`, `${GATEWAY}/`]) {
      for (const method of ["POST", "PUT", "DELETE", "PATCH", "PROPFIND"]) {
        const response = await site.ask(url, { method });
        assert.is(response.status, 405, `${method} ${url}`);
        assert.is(response.headers.get("Allow"), "GET, HEAD, OPTIONS");
        assert.match(await response.text(), "read, not changed");
      }
      const options = await site.ask(url, { method: "OPTIONS" });
      assert.is(options.status, 204);
      assert.is(options.headers.get("Allow"), "GET, HEAD, OPTIONS");
      assert.is(options.headers.get("Access-Control-Allow-Methods"), "GET, HEAD, OPTIONS");
    }
  });

  test("what was opened is kept under the address of the file, once", async () => {
    await using site = await createSite({ "index.html": "home", "a/b.txt": "b", "c.txt": "c" });
    await (await site.ask(`http://${SITE}/`)).text();
    await (await site.ask(`${GATEWAY}/ipns/${SITE}/a/b.txt`)).text();
    await site.ask(`${GATEWAY}/ipns/${SITE}/c.txt`, { method: "HEAD" });
    await (await site.ask(`${GATEWAY}/ipns/${SITE}/c.txt`, { headers: { Range: "bytes=0-0" } }))
      .text();
    await until("both are kept", () => site.node.visits().length >= 2);
    const addresses = site.node.visits().map(({ address }) => address).sort();
    assert.equal(addresses, [`/ipns/${SITE}/a/b.txt`, `/ipns/${SITE}/index.html`]);
  });

  test("a service worker cannot take charge of every site of the origin", async () => {
    await using site = await createSite({ "index.html": "home", "sw.js": "0" });
    const worker = { headers: { "Service-Worker": "script" } };
    assert.is((await site.ask(`${GATEWAY}/ipfs/${site.cid}`, worker)).status, 400);
    assert.is((await site.ask(`${GATEWAY}/ipns/${SITE}`, worker)).status, 400);
    assert.is((await site.ask(`${GATEWAY}/ipns/${SITE}/sw.js`, worker)).status, 200);
    assert.is((await site.ask(`http://${SITE}/sw.js`, worker)).status, 200);
  });

  test("a symbolic link shows where it leads, and is not followed", async () => {
    await using site = await createSite({ "index.html": "home" });
    const link = new UnixFS({ type: "symlink", data: new TextEncoder().encode("../über") });
    const block = encode(prepare({ Data: link.marshal() }));
    const cid = CID.createV1(0x70, await sha256.digest(block));
    await site.node.helia.blockstore.put(cid, block);
    const response = await site.ask(`${GATEWAY}/ipfs/${cid}`);
    assert.is(response.headers.get("Content-Type"), "inode/symlink");
    assert.is(response.headers.get("Content-Length"), "8");
    assert.is(await response.text(), "../über");
    const head = await site.ask(`${GATEWAY}/ipfs/${cid}`, { method: "HEAD" });
    assert.equal([...head.headers], [...response.headers]);
    assert.is(await head.text(), "");
  });
});
