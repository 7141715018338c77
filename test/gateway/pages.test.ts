/** The pages in a browser: they show, ask for nothing they cannot have, lead on, and keep the reader's secrets. */
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { serve } from "../../gateway/serve.ts";
import { browserAvailable, createBrowser } from "../helpers/browser.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

/** Where somebody can look at what the browser showed. */
const PICTURES = join(tmpdir(), "nethood-screenshots");

/** A page that tries every way to learn what its reader has opened. */
const SPY = `<!doctype html><title>spy</title><script>
const home = (host) => "http://" + host + ":" + location.port + "/";
const tries = {
  fetch: async () => (await fetch("/")).text(),
  localhost: async () => (await fetch(home("localhost"))).text(),
  address: async () => (await fetch(home("127.0.0.1"))).text(),
  opaque: async () => (await fetch(home("localhost"), { mode: "no-cors" })).text(),
  frame: () => new Promise((resolve, reject) => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.onload = () => {
      try { resolve(frame.contentDocument.body.textContent); } catch (error) { reject(error); }
    };
    frame.src = "/";
  }),
};
globalThis.spying = async () => {
  const found = {};
  for (const [name, attempt] of Object.entries(tries)) {
    found[name] = await attempt().catch((error) => "refused: " + error.name);
  }
  return found;
};
</script><body>`;

suite("gateway: pages", (test, left) => {
  const missing = browserAvailable();
  const titles = [
    "home, folder and error pages in a browser",
    "a site cannot read what was opened",
    "a folder is listed in the reader's language",
  ];
  if (missing) return titles.forEach((title) => left(title, missing));

  test(titles[0]!, async () => {
    await using site = await createSite({
      "index.html": "<!doctype html><link rel=icon href=data:,><title>home</title>",
      "photos/2024/summer holiday – 100% #1 (a rather long name that has to be broken).txt": "sun",
      "photos/2024/<b>.txt": "bold",
      "photos/big.bin": new Uint8Array(2_000_000),
    });
    await using server = await serve(site.app, { port: 0 });
    const home = server.url.replace("127.0.0.1", "localhost");
    await using browser = await createBrowser();

    // From an address typed in, to the site in an origin of its own, and back to a home that remembers.
    const opened = await browser.openPage(`${server.url}/`);
    const { page } = opened;
    assert.is(page.url(), `${home}/`);
    await page.fill("input[name=address]", SITE);
    await page.keyboard.press("Enter");
    await page.waitForURL(/^http:\/\/docs-example-org\.ipns\.localhost:\d+\/$/);
    assert.is(await page.title(), "home");
    await page.goto(`${home}/`, { waitUntil: "networkidle" });
    await page.waitForSelector(`text=${SITE}/index.html`);
    await picture(page, "home");
    await page.click(`text=${SITE}/index.html`);
    await page.waitForURL(/docs-example-org\.ipns\.localhost:\d+\/index\.html$/);

    await page.goto(`${server.url}/ipns/${SITE}/photos/`, { waitUntil: "networkidle" });
    await page.click("text=2024");
    await page.waitForURL(/\/photos\/2024\/$/);
    await picture(page, "folder");
    assert.equal(opened.trouble, []);
    await page.click("text=<b>.txt");
    await page.waitForURL(/%3Cb%3E\.txt$/);
    assert.is(await page.evaluate("document.body.textContent"), "bold");
    await page.goBack();
    await page.click("nav >> text=photos");
    await page.waitForURL(/\/photos\/$/);

    await using elsewhere = await serve(site.app, { port: 0, hostname: "127.0.0.2" });
    const guest = await browser.openPage(elsewhere.url);
    assert.match(await guest.page.innerText("main"), `${elsewhere.url}/ipns/docs.example.org/`);
    assert.equal(guest.trouble, []);
    await picture(guest.page, "guest");

    const lost = await browser.openPage(`${server.url}/ipns/${SITE}/photos/2025/`);
    assert.is(lost.status, 404);
    assert.is(await lost.page.innerText("h1"), "This page could not be opened");
    assert.match(await lost.page.innerText("main"), 'has nothing called "2025"');
    assert.is(lost.trouble.filter((what) => what.startsWith("404: ")).length, 1);
    await picture(lost.page, "error");
  });

  test(titles[1]!, async () => {
    await using site = await createSite({ "secret.txt": "s", "spy/index.html": SPY });
    await using server = await serve(site.app, { port: 0 });
    await using browser = await createBrowser();
    await browser.openPage(`${server.url}/ipns/${SITE}/secret.txt`);
    const seen = await browser.openPage(server.url.replace("127.0.0.1", "localhost"));
    assert.match(await seen.page.innerText("main"), "secret.txt", "the reader sees it");

    const { page } = await browser.openPage(`${server.url}/ipns/${SITE}/spy/`);
    const found = await page.evaluate("spying()") as Record<string, string>;
    assert.equal(Object.keys(found), ["fetch", "localhost", "address", "opaque", "frame"]);
    for (const [attempt, text] of Object.entries(found)) {
      assert.not.match(text, "secret.txt", attempt);
      assert.ok(text === "" || text.startsWith("refused: "), `${attempt}: ${text}`);
    }
  });

  test(titles[2]!, async () => {
    await using site = await createSite({
      "fotos/2024/Übergänge.txt": "t",
      "fotos/2024/sommer.bin": new Uint8Array(1_500_000),
      "fotos/2024/ein sehr langer Name, der auf einem Telefon umgebrochen werden muss.txt": "t",
      "fotos/2024/unter/a.txt": "a",
    });
    await using server = await serve(site.app, { port: 0 });
    const { port } = new URL(server.url);
    for (const [language, title] of [["de-CH", "Inhalt von 2024"], ["en-GB", "Index of 2024"]]) {
      await using browser = await createBrowser({ language: language! });
      const { page, trouble } = await browser.openPage(
        `http://docs-example-org.ipns.localhost:${port}/fotos/2024/`,
      );
      assert.is(await page.innerText("h1"), title);
      assert.is(await page.getAttribute("html", "lang"), language!.slice(0, 2));
      await picture(page, `listing-${language}`);
      assert.equal(trouble, []);
      // Every way out of the page leads somewhere: by name, up, along the path, and by CID through the gateway.
      await page.setViewportSize({ width: 1000, height: 640 });
      const here = page.url();
      for (
        const [click, leadsTo] of [
          ["td >> text=Übergänge.txt", /\/%C3%9Cberg%C3%A4nge\.txt$/],
          ["td >> text=..", /localhost:\d+\/fotos\/$/],
          ["nav >> text=fotos", /docs-example-org\.ipns\.localhost:\d+\/fotos\/$/],
          ["nav >> text=docs.example.org", /docs-example-org\.ipns\.localhost:\d+\/$/],
          ["tr:has-text('Übergänge') .ipfs-hash", /baf[a-z0-9]+\.ipfs\.localhost:\d+\/\?filename=/],
        ] as const
      ) {
        await page.click(click);
        await page.waitForURL(leadsTo);
        await page.goto(here);
      }
    }
  });
});

/** Light and dark, wide and as narrow as a telephone; nothing may stick out. */
async function picture(page: import("playwright-core").Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1000, 360]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 640 });
      await page.screenshot({ path: join(PICTURES, `${name}-${colorScheme}-${width}.png`) });
      const wide = await page.evaluate("document.documentElement.scrollWidth");
      assert.is(wide, width, `${name} sticks out`);
    }
  }
}
