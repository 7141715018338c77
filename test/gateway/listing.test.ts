/** A folder without an index.html: names are a stranger's text, and there may be very many. */
import * as assert from "uvu/assert";
import type { CID } from "multiformats/cid";
import type { Link } from "../../src/content/unixfs.ts";
import type { Node, Opened } from "../../src/node.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const STRANGE = [
  "<script>alert(1)<∕script>",
  "\"quoted\" & 'so'",
  "50% #1 a?b",
  "a..b",
  "javascript:alert(1)",
  "日本語 Ünï",
  "back\\slash",
  "a+b;c=d@e",
];

suite("gateway: listings", (test) => {
  test("names of any kind are shown as they are, and their links work", async () => {
    const files = STRANGE.map((name, i) => [`inbox/${name}`, `file ${i}`]);
    await using site = await createSite(Object.fromEntries(files));
    for (const base of [`http://127.0.0.1/ipfs/${site.cid}/inbox/`, `http://${SITE}/inbox/`]) {
      const response = await site.ask(base);
      assert.is(response.headers.get("Content-Type"), "text/html; charset=utf-8");
      assert.match(response.headers.get("Content-Security-Policy")!, /^default-src 'none'/);
      const html = await response.text();
      assert.not.match(html, /<script/i);
      const links = [...html.matchAll(/<td><a href="([^"]*)">([^<]*)<\/a>/g)];
      assert.is(links.shift()?.[2], "..");
      assert.is(links.length, files.length);
      for (const [path, text] of files) {
        const name = path!.slice("inbox/".length);
        const link = links.find(([, , shown]) => unescape(shown!) === name);
        assert.ok(link, `${name} is not listed`);
        const target = new URL(unescape(link![1]!), base);
        assert.is(await (await site.ask(target.href)).text(), text, name);
        assert.not.match(link[1]!, /^[^/]/, "a full path, whatever name it has");
      }
    }
  });

  test("the page tells sizes, and leads up to every folder above", async () => {
    await using site = await createSite({
      "photos/2024/a.jpg": new Uint8Array(1536),
      "photos/2024/b.txt": "b",
    });
    // Where the folder is, the way up, and what each name above leads to.
    const forms: [string, string, string][] = [
      [`http://127.0.0.1/ipns/${SITE}`, `/ipns/${SITE}`, `/ipns/${SITE}`],
      [`http://${SITE}:8080`, "", `//${SITE}:8080`],
      ["http://docs-example-org.ipns.localhost:7080", "", `//localhost:7080/ipns/${SITE}`],
    ];
    for (const [base, origin, above] of forms) {
      const html = await (await site.ask(`${base}/photos/2024/`)).text();
      assert.match(html, "<h1>Index of 2024</h1>");
      assert.match(html, /a\.jpg<\/a><\/td><td>.*<\/td><td>1\.5 KiB<\/td>/);
      assert.match(html, /b\.txt<\/a><\/td><td>.*<\/td><td>1 B<\/td>/);
      assert.match(html, `<a href="${origin}/photos/2024/..">..</a>`);
      assert.match(html, `/ipns/<a href="${above}${above.endsWith(SITE) ? "" : "/"}">${SITE}</a>`);
      assert.match(
        html,
        `/<a href="${above}/photos">photos</a>/<a href="${above}/photos/2024">2024`,
      );
      for (const [, href] of html.matchAll(/<a href="([^"]*)">/g)) {
        const { status } = await site.ask(new URL(href!, `${base}/photos/2024/`).href);
        assert.ok([200, 301].includes(status), `${href} gave ${status}`);
      }
      assert.not.match(await (await site.ask(`${base}/`)).text(), ">..</a>");
    }
  });

  test("each entry can be opened by its CID, too: here, or where CIDs are explained", async () => {
    await using site = await createSite({ "in/ü.txt": "u" });
    const { entry } = await site.node.open(`/ipfs/${site.cid}/in/ü.txt`);
    const filename = "filename=%25C3%25BC.txt";
    const forms: [string, string][] = [
      [`http://127.0.0.1/ipfs/${site.cid}`, `href="/ipfs/${entry.cid}?${filename}">`],
      [
        `http://${site.cid}.ipfs.localhost:7080`,
        `href="//localhost:7080/ipfs/${entry.cid}?${filename}">`,
      ],
      [
        `http://${SITE}`,
        `href="https://cid.ipfs.tech/#${entry.cid}" target="_blank" rel="noreferrer noopener">`,
      ],
    ];
    for (const [base, link] of forms) {
      const html = await (await site.ask(`${base}/in/`)).text();
      assert.match(html, `<a class="ipfs-hash" translate="no" ${link}`);
    }
  });

  test("it speaks the reader's language, and caches keep the two apart", async () => {
    await using site = await createSite({ "in/big.bin": new Uint8Array(1536) });
    const url = `http://${SITE}/in/`;
    const ask = (language: string, headers = {}) =>
      site.ask(url, { headers: { ...(language && { "Accept-Language": language }), ...headers } });
    const tags = new Set<string>();
    const wishes: [string, "en" | "de"][] = [
      ["", "en"],
      ["de", "de"],
      ["de-CH, en;q=0.8", "de"],
      ["en-US,en;q=0.9,de;q=0.8", "en"],
      ["fr, de;q=0.5, en;q=0.4", "de"],
      ["DE;q=0.1, EN;q=0", "de"],
      ["fr", "en"],
      ["de;q=x, *", "en"],
    ];
    for (const [wish, language] of wishes) {
      const response = await ask(wish);
      const html = await response.text();
      assert.match(html, `<html lang="${language}">`, wish);
      assert.match(html, language === "de" ? "<h1>Inhalt von in</h1>" : "<h1>Index of in</h1>");
      assert.match(html, language === "de" ? "1,5 KiB" : "1.5 KiB");
      assert.is(response.headers.get("Content-Language"), language);
      assert.match(response.headers.get("Vary")!, "Accept-Language");
      const tag = response.headers.get("ETag")!;
      tags.add(tag);
      assert.is((await ask(wish, { "If-None-Match": tag })).status, 304);
      const other = language === "de" ? "en" : "de";
      assert.is((await ask(other, { "If-None-Match": tag })).status, 200, "another language");
    }
    assert.is(tags.size, 2);
  });

  test("a name that no address can have is shown, but leads nowhere", async () => {
    const names = ["..", ".", "", "a/b", "../../etc", "...", "plain"];
    const hostile = withEntries(async function* (cid) {
      for (const name of names) yield { name, cid, size: 1 };
    });
    await using site = await createSite({ "in/a.txt": "a" }, { wrap: hostile });
    const html = await (await site.ask(`http://${SITE}/in/`)).text();
    const links = [...html.matchAll(/<td><a href="([^"]*)">/g)].map(([, href]) => href);
    assert.equal(links, ["/in/..", "/in/...", "/in/plain"]);
    for (const name of names) assert.match(html, `${name}</`);
  });

  test("a huge folder is cut, and says so", async () => {
    let read = 0, closed = false;
    const huge = withEntries(async function* (cid) {
      try {
        for (; read < 20_000; read++) yield { name: `file ${read}`, cid, size: 1 };
      } finally {
        closed = true;
      }
    });
    await using site = await createSite({ "a.txt": "a" }, { wrap: huge });
    const html = await (await site.ask(`http://${SITE}/`)).text();
    assert.is([...html.matchAll(/href="\/file%20\d+"/g)].length, 10_000);
    assert.match(html, "has more entries than the 10000 shown here");
    assert.is(read, 10_000);
    assert.ok(closed);
  });
});

/** A node whose folders have these entries. */
function withEntries(entries: (cid: CID) => AsyncGenerator<Link>) {
  return (node: Node) => ({
    ...node,
    open: async (...asked: Parameters<Node["open"]>): Promise<Opened> => {
      const { entry, resolved } = await node.open(...asked);
      if (entry.kind !== "directory") return { entry, resolved };
      return { entry: { ...entry, entries: () => entries(entry.cid) }, resolved };
    },
  });
}

function unescape(html: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', amp: "&", "#39": "'" };
  return html.replace(/&(#39|\w+);/g, (_, name) => named[name]!);
}
