/** The node's own pages: what was opened here is the reader's business alone. */
import * as assert from "uvu/assert";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

suite("gateway: own pages", (test) => {
  test("what was opened is listed at localhost, and nowhere else", async () => {
    await using site = await createSite({ "index.html": "home", "a b/ä.txt": "a" });
    await (await site.ask(`http://127.0.0.1:7080/ipns/${SITE}/a%20b/%C3%A4.txt`)).text();
    await until("it is kept", () => site.node.visits().length > 0);

    const home = await site.ask("http://localhost:7080/");
    assert.is(home.status, 200);
    const html = await home.text();
    assert.match(html, `<a href="/ipns/${SITE}/a%20b/%C3%A4.txt">${SITE}/a b/ä.txt</a>`);
    assert.match(html, 'action="/open"');
    assert.match(html, site.node.id);
    assert.is(home.headers.get("Cache-Control"), "no-store");
    assert.is(home.headers.get("X-Frame-Options"), "DENY");
    assert.is(home.headers.get("Referrer-Policy"), "no-referrer");
    assert.is(home.headers.get("Access-Control-Allow-Origin"), null);
    const policy = home.headers.get("Content-Security-Policy")!;
    assert.match(policy, /^default-src 'none'[^,]*$/, "one policy");
    assert.match(policy, "frame-ancestors 'none'");
    assert.not.match(policy, "script-src");

    for (const host of ["127.0.0.1:7080", "[::1]:7080", "127.0.0.1"]) {
      const away = await site.ask(`http://${host}/`);
      assert.is(away.status, 302, host);
      const port = host.endsWith(":7080") ? ":7080" : "";
      assert.is(away.headers.get("Location"), `http://localhost${port}/`);
      assert.is(await away.text(), "");
    }
    for (const host of ["192.0.2.1:7080", "0.0.0.0:7080", "127.0.0.2", "[2001:db8::1]:7080"]) {
      const page = await site.ask(`http://${host}/`);
      assert.is(page.status, 200, host);
      const html = await page.text();
      assert.match(html, `http://${host}/ipns/docs.example.org/`);
      assert.not.match(html, /ä\.txt|<form|12D3Koo/);
    }
    for (const host of ["evil.example", "docs-example-org.ipns.localhost:7080"]) {
      assert.not.match(await (await site.ask(`http://${host}/`)).text(), "ä.txt");
    }
  });

  test("an address that is typed in opens in an origin of its own", async () => {
    await using site = await createSite({ "index.html": "home" });
    const open = async (address: string, host = "localhost:7080") =>
      await site.ask(`http://${host}/open?address=${encodeURIComponent(address)}`);
    const cases: [string, string][] = [
      [SITE, `/ipns/${SITE}/`],
      [`http://${SITE}/search.html?q=ä b#top`, `/ipns/${SITE}/search.html?q=%C3%A4%20b`],
      [`ipfs://${site.cid}/x`, `/ipfs/${site.cid}/x`],
      ["//evil.example/x", ""],
      ["javascript:alert(1)", ""],
      ["", ""],
    ];
    for (const [typed, location] of cases) {
      const response = await open(typed);
      assert.is(response.status, location === "" ? 400 : 302, typed);
      assert.is(response.headers.get("Location") ?? "", location);
    }
  });
});
