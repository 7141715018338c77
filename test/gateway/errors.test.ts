/** What goes wrong is told in a sentence that says what to do, and tells nothing of this machine. */
import * as assert from "uvu/assert";
import { NethoodError } from "../../src/errors.ts";
import type { Node } from "../../src/node.ts";
import { createSite, SITE, type Site } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const GATEWAY = "http://127.0.0.1:7080";
const NOBODY_HAS = "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4";

suite("gateway: errors", (test) => {
  test("each failure has its status, a line for programs and a page for people", async () => {
    await using site = await createSite({ "index.html": "home" });
    site.dns.zone["_dnslink.loop.example.org"] = {
      txt: ["dnslink=/ipns/loop.example.org"],
      ttl: 60,
    };
    const cases: [string, number, RegExp, RegExp?][] = [
      [`${GATEWAY}/ipfs/nonsense`, 400, /"nonsense" is not a valid CID/],
      [`${GATEWAY}/ipns/nonsense/`, 400, /neither a CID, an IPNS key nor a DNS name/],
      [`${GATEWAY}/ipfs/${site.cid}/%FF`, 400, /not valid percent-encoding/],
      [`${GATEWAY}/ipfs/${site.cid}/a%2F..%2Fb/%2e%2e%2f`, 404, /There is no/],
      [`${GATEWAY}/ipfs/${site.cid}/${"x".repeat(17_000)}`, 400, /longer than/],
      ["http://loop.example.org/", 400, /in a circle.*publisher/],
      ["http://missing.example.org/", 404, /has no DNSLink.*check the spelling/],
      [`http://${SITE}/missing/page.html`, 404, /nothing called "missing"/],
      [`http://${SITE}/index.html/x`, 404, /is a file, not a folder/],
      [`${GATEWAY}/ipfs/${NOBODY_HAS}`, 504, /not on this machine.*Try again/],
      [`${GATEWAY}/favicon.ico`, 404, /nothing at \/favicon\.ico.*\/ipns\//],
      [`${GATEWAY}/open?address=x.example.org`, 404, /nothing at \/open/],
    ];
    for (const [url, status, says] of cases) await fails(site, url, status, says);
    // Names that were never looked up before are needed for this one.
    await site.dns.stop();
    await fails(site, "http://other.example.org/", 502, /DNS|name server|resolver/i);
    assert.equal(site.log, [], "what a client does wrong is no news");
  });

  test("an address is shown, not obeyed", async () => {
    await using site = await createSite({ "index.html": "home" });
    const url = `http://${SITE}/%3Cscript%3Ealert(1)%3C/script%3E?<img src=x onerror=1>`;
    const page = await (await site.ask(url, { headers: { Accept: "text/html" } })).text();
    assert.match(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
    assert.not.match(page, /<script|<img/);
    const line = await site.ask(url);
    assert.is(line.headers.get("Content-Type"), "text/plain; charset=utf-8");
    assert.is(line.headers.get("X-Content-Type-Options"), "nosniff");
  });

  test("what fails inside is for the log, not for the client", async () => {
    const failures: [Error, number][] = [
      [new Error("EACCES: /home/ada/.local/share/nethood/blocks"), 500],
      [new NethoodError("DISK_FULL", "The disk that holds /home/ada is full.", { hint: "x" }), 507],
      [new NethoodError("DIR_UNWRITABLE", "/home/ada/nethood.sqlite is damaged."), 500],
      [Object.assign(new Error("/home/ada: timed out"), { name: "TimeoutError" }), 504],
    ];
    for (const [failure, status] of failures) {
      const broken = (node: Node) => ({ ...node, open: () => Promise.reject(failure) });
      await using site = await createSite({ "index.html": "home" }, { wrap: broken });
      for (const Accept of ["text/html", "*/*"]) {
        const response = await site.ask(`http://${SITE}/`, { headers: { Accept } });
        assert.is(response.status, status);
        const text = JSON.stringify([...response.headers]) + await response.text();
        assert.not.match(text, /\/home|ada|\.ts:|\bat /);
      }
      if (status !== 504) assert.match(site.log[0]!, "/home/ada");
    }
  });

  test("a client that has left is no news", async () => {
    await using site = await createSite({ "index.html": "home" });
    const client = new AbortController();
    const answer = site.ask(`${GATEWAY}/ipfs/${NOBODY_HAS}`, { signal: client.signal });
    setTimeout(() => client.abort("gone"), 50);
    const start = Date.now();
    assert.is((await answer).status, 499);
    assert.ok(Date.now() - start < 250, "the search went on");
    assert.equal(site.log, []);
  });
});

async function fails(site: Site, url: string, status: number, says: RegExp): Promise<void> {
  const line = await site.ask(url);
  assert.is(line.status, status, url.slice(0, 100));
  const text = await line.text();
  assert.match(text, says);
  assert.match(text, /^[^\n]+\.\n$/, "one line");
  assert.is(line.headers.get("Cache-Control"), "no-store");
  assert.is(line.headers.has("Retry-After"), status >= 502, "Retry-After");

  const page = await site.ask(url, { headers: { Accept: "text/html,*/*;q=0.8" } });
  assert.is(page.status, status);
  assert.is(page.headers.get("Content-Type"), "text/html; charset=utf-8");
  assert.match(page.headers.get("Content-Security-Policy")!, /^default-src 'none'/);
  const html = (await page.text()).replace(/&quot;/g, '"');
  assert.match(html, "<h1>This page could not be opened</h1>");
  assert.match(html, /<h2>What you can do<\/h2>\s*<p>\w/);
  assert.match(html, says.source.includes(".*") ? new RegExp(says.source, "s") : says);
  assert.match(html, decodeURI(url.replace("%FF", "%25FF")).replace("%25", "%").slice(0, 300));
  for (const text of [html, await (await site.ask(url)).text()]) {
    assert.not.match(text, /\/tmp\/|\.ts:|\n\s+at /);
  }
}
