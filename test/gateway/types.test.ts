/** Content types: browsers refuse a script or a style sheet of the wrong one. */
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import { createSite } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const latin1 = (text: string) => Buffer.from(text, "latin1");

const CASES: [string, string | Uint8Array, string][] = [
  ["page.html", "<p>ä", "text/html; charset=utf-8"],
  ["old.html", latin1("<meta charset=latin1>\xe4"), "text/html"],
  ["style.css", "a{}", "text/css; charset=utf-8"],
  ["app.js", "0", "text/javascript; charset=utf-8"],
  ["module.mjs", "0", "text/javascript; charset=utf-8"],
  ["data.json", "{}", "application/json"],
  ["app.webmanifest", "{}", "application/manifest+json"],
  ["icon.svg", "<svg/>", "image/svg+xml; charset=utf-8"],
  ["font.woff2", "wOF2", "font/woff2"],
  ["code.wasm", "\0asm", "application/wasm"],
  ["paper.pdf", "%PDF-1", "application/pdf"],
  ["film.mp4", "x", "video/mp4"],
  ["UPPER.PNG", "x", "image/png"],
  ["empty.css", "", "text/css; charset=utf-8"],
  // What the name says counts, even where the bytes look like something else.
  ["plain.txt", "<!doctype html><script>alert(1)</script>", "text/plain; charset=utf-8"],
  // Names that say nothing.
  ["LICENSE", "Permission is hereby granted – ä", "text/plain; charset=utf-8"],
  ["latin", latin1("caf\xe9"), "text/plain"],
  ["about", " \n<!DOCTYPE HTML><title>ä", "text/html; charset=utf-8"],
  ["feed", '<?xml version="1.0"?><rss/>', "text/xml; charset=utf-8"],
  ["drawing", '<?xml version="1.0"?><svg/>', "image/svg+xml; charset=utf-8"],
  ["paper", "%PDF-1.7", "application/pdf"],
  ["photo", latin1("\x89PNG\r\n\x1a\n"), "image/png"],
  ["camera", latin1("\xff\xd8\xff\xe0"), "image/jpeg"],
  ["anim", "GIF89a", "image/gif"],
  ["small", latin1("RIFF\0\0\0\0WEBP"), "image/webp"],
  ["film", latin1("\0\0\0\x20ftypisom"), "video/mp4"],
  ["clip", latin1("\x1a\x45\xdf\xa3"), "video/webm"],
  ["program", latin1("\0asm\x01\0\0\0"), "application/wasm"],
  ["noise", latin1("\0\x01\x02"), "application/octet-stream"],
  ["empty", "", "text/plain; charset=utf-8"],
];

suite("gateway: content types", (test) => {
  test("by the name first, by the bytes where it says nothing", async () => {
    const files = Object.fromEntries(CASES.map(([name, bytes]) => [name, bytes]));
    await using site = await createSite(files);
    for (const [name, bytes, type] of CASES) {
      const response = await site.ask(`http://127.0.0.1/ipfs/${site.cid}/${name}`);
      assert.is(response.headers.get("Content-Type"), type, name);
      const body = Buffer.from(await response.arrayBuffer());
      assert.ok(body.equals(Buffer.from(bytes as string)), name);
    }
  });

  test("a character that the first look cuts in two is still UTF-8", async () => {
    await using site = await createSite({ "a.txt": "a" + "ä".repeat(10_000) });
    const { headers } = await site.ask(`http://127.0.0.1/ipfs/${site.cid}/a.txt`);
    assert.is(headers.get("Content-Type"), "text/plain; charset=utf-8");
  });
});
