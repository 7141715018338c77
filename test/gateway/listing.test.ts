/** A folder without an index.html: names are a stranger's text, and there may be very many. */
import * as assert from "uvu/assert";
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
      assert.is(links.length, files.length);
      for (const [path, text] of files) {
        const name = path!.slice("inbox/".length);
        const link = links.find(([, , shown]) => unescape(shown!) === name);
        assert.ok(link, `${name} is not listed`);
        const target = new URL(unescape(link![1]!), base);
        assert.is(await (await site.ask(target.href)).text(), text, name);
      }
    }
  });

  test("the page tells sizes, and leads up to every folder above", async () => {
    await using site = await createSite({
      "photos/2024/a.jpg": new Uint8Array(1536),
      "photos/2024/b.txt": "b",
    });
    const forms: [string, string][] = [
      [`http://127.0.0.1/ipns/${SITE}`, `/ipns/${SITE}/`],
      [`http://${SITE}`, "/"],
    ];
    for (const [base, top] of forms) {
      const html = await (await site.ask(`${base}/photos/2024/`)).text();
      assert.match(html, "<h1>Index of 2024</h1>");
      assert.match(html, /a\.jpg<\/a><\/td>\s*<td>1\.5 KiB<\/td>/);
      assert.match(html, /b\.txt<\/a><\/td>\s*<td>1 B<\/td>/);
      assert.match(html, `<a href="${top}">${SITE}</a>`);
      assert.match(html, `<a href="${top}photos/">photos</a>`);
      assert.not.match(await (await site.ask(`${base}/`)).text(), 'href=".."');
    }
  });

  test("a huge folder is cut, and says so", async () => {
    let read = 0, closed = false;
    const huge = (node: Node) => ({
      ...node,
      open: async (...asked: Parameters<Node["open"]>): Promise<Opened> => {
        const { entry, resolved } = await node.open(...asked);
        if (entry.kind !== "directory") return { entry, resolved };
        const { cid } = entry;
        async function* entries() {
          try {
            for (; read < 20_000; read++) yield { name: `file ${read}`, cid, size: 1 };
          } finally {
            closed = true;
          }
        }
        return { entry: { ...entry, entries }, resolved };
      },
    });
    await using site = await createSite({ "a.txt": "a" }, { wrap: huge });
    const html = await (await site.ask(`http://${SITE}/`)).text();
    assert.is([...html.matchAll(/href="\.\/file%20\d+"/g)].length, 10_000);
    assert.match(html, "has more entries than the 10000 shown here");
    assert.is(read, 10_000);
    assert.ok(closed);
  });
});

function unescape(html: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', amp: "&", "#39": "'" };
  return html.replace(/&(#39|\w+);/g, (_, name) => named[name]!);
}
