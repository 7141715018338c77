/** Documents: the block as it is under its own type, a page for people, paths through their links. */
import { Buffer } from "node:buffer";
import * as dagCbor from "@ipld/dag-cbor";
import * as dagJson from "@ipld/dag-json";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { utf8 } from "../../helpers/bytes.ts";
import { DAG_CBOR, RAW } from "../../helpers/memory-blocks.ts";
import { createShelf, type Shelf } from "../../helpers/shelf.ts";
import { suite } from "../../helpers/suite.ts";

const DAG_JSON = 0x0129, JSON_CODE = 0x0200, CBOR = 0x51;

const HTML = { headers: { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" } };

/** Each kind of document, with a link where it can have one. */
async function documents({ blocks }: Shelf) {
  const page = await blocks.put(RAW, utf8("the page"));
  const site = await blocks.node({ type: "DIRECTORY", links: [{ cid: page, name: "page.txt" }] });
  const inner = await blocks.put(DAG_CBOR, dagCbor.encode({ site, list: [0, page] }));
  const value = { foo: { link: inner, text: "<b>&", bytes: new Uint8Array([1, 2]) }, n: null };
  return {
    page,
    site,
    inner,
    "dag-cbor": await blocks.put(DAG_CBOR, dagCbor.encode(value)),
    "dag-json": await blocks.put(DAG_JSON, dagJson.encode(value)),
    cbor: await blocks.put(CBOR, dagCbor.encode(value)),
    json: await blocks.put(JSON_CODE, utf8(' { "a": 1 }\n')),
  };
}

const TYPES = {
  "dag-cbor": "application/vnd.ipld.dag-cbor",
  "dag-json": "application/vnd.ipld.dag-json",
  cbor: "application/cbor",
  json: "application/json",
} as const;

suite("gateway: documents", (test) => {
  test("the block as it is, whole and in ranges, under each type that fits it, and no other", async () => {
    await using shelf = await createShelf();
    const all = await documents(shelf);
    await shelf.stock();
    const names = Object.keys(TYPES) as (keyof typeof TYPES)[];
    for (const codec of names) {
      const cid = all[codec];
      const block = await shelf.blocks.get(cid);
      const size = block.byteLength;
      const plain = codec.replace("dag-", "") as "json" | "cbor";
      const ways: [string, RequestInit["headers"], keyof typeof TYPES][] = [["", {}, codec]];
      for (const format of new Set([codec, plain])) {
        ways.push([`?format=${format}`, {}, format], ["", { Accept: TYPES[format] }, format]);
      }
      for (const [query, headers, format] of ways) {
        const what = `${codec} ${query} ${JSON.stringify(headers)}`;
        const url = `/ipfs/${cid}${query}`;
        const whole = await shelf.ask(url, { headers: headers! });
        assert.is(whole.status, 200, what);
        assert.is(whole.headers.get("Content-Type"), TYPES[format], what);
        assert.is(whole.headers.get("ETag"), `"${cid}.${format}"`, what);
        assert.is(
          whole.headers.get("Content-Disposition"),
          `${plain === "json" ? "inline" : "attachment"}; filename="${cid}.${plain}"`,
        );
        assert.ok(Buffer.from(await whole.arrayBuffer()).equals(block), what);
        // The cases that gateway-conformance has and does not run.
        const ranges: [string, number, number][] = [["3-9", 3, 10], ["5-", 5, size], [
          "-4",
          size - 4,
          size,
        ]];
        for (const [range, start, end] of ranges) {
          const part = await shelf.ask(url, { headers: { ...headers, Range: `bytes=${range}` } });
          assert.is(part.status, 206, what);
          assert.is(part.headers.get("Content-Range"), `bytes ${start}-${end - 1}/${size}`, what);
          assert.is(part.headers.get("Content-Type"), TYPES[format], what);
          assert.is(part.headers.get("Content-Length"), String(end - start), what);
          assert.ok(Buffer.from(await part.arrayBuffer()).equals(block.subarray(start, end)), what);
        }
        const past = await shelf.ask(url, { headers: { ...headers, Range: `bytes=${size}-` } });
        assert.is(past.status, 416, what);
      }
      for (const format of names.filter((name) => name !== codec && name !== plain)) {
        const refused = [
          await shelf.ask(`/ipfs/${cid}?format=${format}`),
          await shelf.ask(`/ipfs/${cid}`, { headers: { Accept: TYPES[format] } }),
        ];
        assert.equal(refused.map(({ status }) => status), [406, 406], `${codec} as ${format}`);
      }
      assert.is((await shelf.ask(`/ipfs/${cid}?format=tar`)).status, 406);
    }
    const saved = await shelf.ask(`/ipfs/${all.json}?download=true&filename=ż.json`);
    assert.is(
      saved.headers.get("Content-Disposition"),
      `attachment; filename="_.json"; filename*=UTF-8''%C5%BC.json`,
    );
  });

  test("paths go through links, from documents to files and folders and back", async () => {
    await using shelf = await createShelf();
    const all = await documents(shelf);
    const root = await shelf.blocks.node({
      type: "DIRECTORY",
      links: [{ cid: all["dag-json"], name: "data" }],
    });
    await shelf.stock();
    const ask = async (path: string) => await shelf.ask(`/ipfs/${root}/data${path}`);
    const page = await ask("/foo/link/site/page.txt");
    assert.is(await page.text(), "the page");
    assert.is(
      page.headers.get("X-Ipfs-Roots"),
      [root, all["dag-json"], all.inner, all.site, all.page].join(),
    );
    assert.is(await (await ask("/foo/link/list/1")).text(), "the page");
    assert.is((await ask("/foo/link/site")).status, 301);
    for (const value of ["/foo", "/foo/text", "/n", "/foo/bytes", "/foo/link/list/0"]) {
      assert.is((await ask(value)).status, 501, value);
      assert.is((await ask(`${value}?format=raw`)).status, 501, value);
    }
    const missing = [
      "/bar",
      "/foo/bar",
      "/foo/text/0",
      "/foo/bytes/0",
      "/n/x",
      "/foo/__proto__",
      "/toString",
    ];
    for (const path of missing) assert.is((await ask(path)).status, 404, path);
  });

  test("a browser gets a page whose links lead on, and where nothing is script", async () => {
    await using shelf = await createShelf();
    const all = await documents(shelf);
    const odd = await shelf.blocks.put(
      DAG_CBOR,
      dagCbor.encode({ "a/b?": all.page, "..": all.page, "<i>": 1 }),
    );
    await shelf.stock();
    for (const codec of ["dag-cbor", "dag-json", "cbor"] as const) {
      const path = `/ipfs/${all[codec]}`;
      const shown = await shelf.ask(`${path}/`, HTML);
      assert.is(shown.status, 200);
      assert.is(shown.headers.get("Content-Type"), "text/html; charset=utf-8");
      assert.match(shown.headers.get("ETag")!, new RegExp(`^"DagIndex-\\d+_CID-${all[codec]}"$`));
      assert.is(
        shown.headers.get("Cache-Control"),
        "public, max-age=604800, stale-while-revalidate=2678400",
      );
      assert.is(shown.headers.get("Content-Disposition"), null);
      assert.match(shown.headers.get("Vary")!, "Accept");
      const html = await shown.text();
      assert.match(html, `<a href="${path}/foo/link">${all.inner}</a>`);
      assert.match(html, "&lt;b&gt;&amp;");
      assert.not.match(html, "<b>");
      const next = await shelf.ask(`${path}/foo/link`, HTML);
      assert.match(await next.text(), `<a href="${path}/foo/link/list/1">`);
    }
    const host = `http://${all.inner}.ipfs.localhost`;
    const isolated = await shelf.app.fetch(new Request(`${host}/`, HTML));
    assert.match(await isolated.text(), `<a href="/list/1">${all.page}</a>`);
    const strange = await (await shelf.ask(`/ipfs/${odd}`, HTML)).text();
    assert.match(strange, `<a href="/ipfs/${odd}/a%2Fb%3F">`);
    assert.match(strange, `<code>${all.page}</code>`);
    assert.not.match(strange, "<i>");
    assert.is(await (await shelf.ask(`/ipfs/${odd}/a%2Fb%3F`)).text(), "the page");
  });

  test("hostile documents are a clear error, never a stack, and never too long a page", async () => {
    await using shelf = await createShelf();
    const deep = await shelf.blocks.put(DAG_JSON, utf8("[".repeat(200_000) + "]".repeat(200_000)));
    const broken = await shelf.blocks.put(DAG_CBOR, utf8("no cbor"));
    const long = await shelf.blocks.put(
      DAG_CBOR,
      dagCbor.encode(Array.from({ length: 100_000 }, () => "x".repeat(10))),
    );
    await shelf.stock();
    for (const cid of [deep, broken] as CID[]) {
      for (const path of [`/ipfs/${cid}/a`, `/ipfs/${cid}/a?format=car`]) {
        assert.is((await shelf.ask(path, HTML)).status, 502, path);
      }
      assert.is((await shelf.ask(`/ipfs/${cid}`, HTML)).status, 502);
      assert.is((await shelf.ask(`/ipfs/${cid}`)).status, 200, "the block is what it is");
    }
    assert.ok((await (await shelf.ask(`/ipfs/${long}`, HTML)).text()).length < 500_000);
    assert.equal(shelf.log, []);
  });

  test("JSON in a file is JSON, however it is asked for; what is none is not called so", async () => {
    await using shelf = await createShelf();
    const json = JSON.stringify({ list: Array.from({ length: 2_000 }, (_, i) => i) });
    const root = await shelf.blocks.add([
      { path: "data", content: utf8('{ "a": 1 }') },
      { path: "long", content: utf8(json) },
      { path: "text", content: utf8("[1] a footnote") },
      { path: "page.html", content: utf8("<p>") },
    ]);
    await shelf.stock();
    const axios = { headers: { Accept: "application/json, text/plain, */*" } };
    for (const name of ["data", "long"]) {
      for (const [query, init] of [["", {}], ["?format=json", {}], ["", axios]] as const) {
        const response = await shelf.ask(`/ipfs/${root}/${name}${query}`, init);
        assert.is(response.status, 200);
        assert.is(response.headers.get("Content-Type"), "application/json", name);
      }
    }
    // Accept is a wish: who wishes for JSON gets the file that there is, as from any web server.
    for (const init of [axios, { headers: { Accept: "application/json" } }]) {
      const html = await shelf.ask(`/ipfs/${root}/page.html`, init);
      assert.is(html.headers.get("Content-Type"), "text/html; charset=utf-8");
    }
    const text = await shelf.ask(`/ipfs/${root}/text`);
    assert.is(text.headers.get("Content-Type"), "text/plain; charset=utf-8");
    for (const query of ["format=json", "format=cbor", "format=dag-json", "format=dag-cbor"]) {
      for (const path of ["/page.html", "/text", ""]) {
        assert.is((await shelf.ask(`/ipfs/${root}${path}?${query}`)).status, 406, path + query);
      }
    }
    const strict = { headers: { Accept: TYPES["dag-json"] } };
    assert.is((await shelf.ask(`/ipfs/${root}/data`, strict)).status, 406);
  });
});
