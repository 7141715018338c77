/** What a browser may keep, for how long, and how it asks whether that still holds. */
import * as assert from "uvu/assert";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const GATEWAY = "http://127.0.0.1:7080";

suite("gateway: caching", (test) => {
  test("who has it already gets 304 and no body", async () => {
    await using site = await createSite({ "a.txt": "a", "photos/b.txt": "b" });
    for (const path of ["a.txt", "photos/"]) {
      const url = `${GATEWAY}/ipns/${SITE}/${path}`;
      const fresh = await site.ask(url);
      const etag = fresh.headers.get("ETag")!;
      for (const tags of [etag, `W/${etag}`, `"x", W/${etag} , "y"`, "*"]) {
        const response = await site.ask(url, { headers: { "If-None-Match": tags } });
        assert.is(response.status, 304, `${path} ${tags}`);
        assert.is(await response.text(), "");
        assert.is(response.headers.get("ETag"), etag);
        assert.match(response.headers.get("Cache-Control")!, /^public, max-age=[56]\d$/);
        assert.is(response.headers.get("X-Ipfs-Path"), `/ipns/${SITE}/${path}`);
        assert.is(response.headers.get("Content-Type"), null);
        assert.is(response.headers.get("Content-Length"), null);
      }
      for (const tags of ['"x"', etag.replaceAll('"', ""), ""]) {
        const response = await site.ask(url, { headers: { "If-None-Match": tags } });
        assert.is(response.status, 200, `${path} ${tags}`);
        await response.text();
      }
    }
    const missing = await site.ask(`${GATEWAY}/ipns/${SITE}/no`, {
      headers: { "If-None-Match": "*" },
    });
    assert.is(missing.status, 404);
  });

  test("a tag stands for one content: the same by every path, another for a listing", async () => {
    await using site = await createSite({
      "a.txt": "same",
      "b/c.txt": "same",
      "d.txt": "other",
    });
    const tag = async (path: string) => (await site.ask(`${GATEWAY}${path}`)).headers.get("ETag")!;
    const a = await tag(`/ipfs/${site.cid}/a.txt`);
    assert.match(a, /^"bafk[a-z0-9]+"$/);
    assert.is(await tag(`/ipns/${SITE}/b/c.txt`), a);
    assert.is.not(await tag(`/ipfs/${site.cid}/d.txt`), a);
    assert.match(await tag(`/ipfs/${site.cid}/`), /^"DirIndex-\d+\.en_CID-/);
  });

  test("a folder's page is known by the folder, and its file by itself", async () => {
    await using site = await createSite({ "e/index.html": "page", "e/more.txt": "more" });
    const { entry: folder } = await site.node.open(`/ipfs/${site.cid}/e`);
    const { entry: file } = await site.node.open(`/ipfs/${site.cid}/e/index.html`);
    const page = await site.ask(`${GATEWAY}/ipfs/${site.cid}/e/`);
    assert.is(await page.text(), "page");
    assert.is(page.headers.get("ETag"), `"${folder.cid}"`);
    assert.is(page.headers.get("X-Ipfs-Roots"), `${site.cid},${folder.cid}`);
    assert.is(page.headers.get("Cache-Control"), "public, max-age=29030400, immutable");
    assert.match(page.headers.get("Content-Type")!, "text/html");
    const alone = await site.ask(`${GATEWAY}/ipfs/${site.cid}/e/index.html`);
    assert.is(alone.headers.get("ETag"), `"${file.cid}"`);
    assert.is(alone.headers.get("X-Ipfs-Roots"), `${site.cid},${folder.cid},${file.cid}`);
    const held = { headers: { "If-None-Match": `"${folder.cid}"` } };
    assert.is((await site.ask(`${GATEWAY}/ipfs/${site.cid}/e/`, held)).status, 304);
  });

  test("a CID is for ever, a name for as long as it says, an old answer not at all", async () => {
    await using site = await createSite({ "a.txt": "a", "photos/b.txt": "b" });
    const held = async (path: string) =>
      (await site.ask(`${GATEWAY}${path}`)).headers.get("Cache-Control");
    assert.is(await held(`/ipfs/${site.cid}/a.txt`), "public, max-age=29030400, immutable");
    assert.not.match((await held(`/ipfs/${site.cid}/photos/`))!, "immutable");

    site.dns.zone["_dnslink.short.example.org"] = { txt: [`dnslink=/ipns/${site.key}`], ttl: 7 };
    assert.match((await held("/ipns/short.example.org/a.txt"))!, /^public, max-age=[67]$/);
    assert.match((await held("/ipns/short.example.org/photos/"))!, /^public, max-age=[5-7]$/);
    assert.match((await held(`/ipns/${site.key}/a.txt`))!, /^public, max-age=[56]\d$/);
    assert.is(await held(`/ipns/${SITE}/missing`), "no-store");

    site.dns.zone["_dnslink.brief.example.org"] = { txt: [`dnslink=/ipfs/${site.cid}`], ttl: 0 };
    assert.is(await held("/ipns/brief.example.org/a.txt"), "public, max-age=0");
    await site.dns.stop();
    const stale = await site.ask(`${GATEWAY}/ipns/brief.example.org/a.txt`);
    assert.is(stale.status, 200);
    assert.is(stale.headers.get("Cache-Control"), "no-cache");
    assert.match(stale.headers.get("Cache-Status")!, /^nethood; hit; detail="/);
    assert.is(await stale.text(), "a");
  });
});
