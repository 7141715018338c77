/** Parts of files (RFC 9110, section 14): what a video player and a resumed download ask for. */
import { Buffer } from "node:buffer";
import { decode } from "@ipld/dag-pb";
import * as assert from "uvu/assert";
import { createSite } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

/** Over two blocks of 1 MiB, and no byte like its neighbour. */
const FILM = Uint8Array.from(
  { length: 2_500_000 },
  (_, i) => (i * 31 + (i >> 8) + (i >> 16)) & 0xff,
);
const SIZE = FILM.byteLength;

suite("gateway: ranges", (test) => {
  test("one range is answered with just these bytes", async () => {
    await using site = await createSite({ "film.mp4": FILM });
    const url = `http://127.0.0.1/ipfs/${site.cid}/film.mp4`;
    const ranges: [string, number, number][] = [
      ["bytes=0-0", 0, 1],
      ["bytes=1048570-1048579", 1048570, 1048580],
      ["bytes=2400000-", 2400000, SIZE],
      ["bytes=-7", SIZE - 7, SIZE],
      ["bytes=-99999999", 0, SIZE],
      ["bytes=5-99999999", 5, SIZE],
      ["BYTES = 3 - 4", 3, 5],
    ];
    for (const [range, start, end] of ranges) {
      const response = await site.ask(url, { headers: { Range: range } });
      assert.is(response.status, 206, range);
      assert.is(response.headers.get("Content-Range"), `bytes ${start}-${end - 1}/${SIZE}`);
      assert.is(response.headers.get("Content-Length"), String(end - start));
      const bytes = Buffer.from(await response.arrayBuffer());
      assert.ok(bytes.equals(FILM.subarray(start, end)), range);
    }
  });

  test("past the end is refused with the size, and not remembered", async () => {
    await using site = await createSite({ "film.mp4": FILM, "empty.txt": "" });
    const root = `http://127.0.0.1/ipfs/${site.cid}`;
    for (
      const [name, range] of [["film.mp4", `bytes=${SIZE}-`], ["film.mp4", "bytes=-0"], [
        "empty.txt",
        "bytes=0-",
      ]]
    ) {
      const response = await site.ask(`${root}/${name}`, { headers: { Range: range! } });
      assert.is(response.status, 416, range);
      const size = name === "film.mp4" ? SIZE : 0;
      assert.is(response.headers.get("Content-Range"), `bytes */${size}`);
      assert.is(response.headers.get("Cache-Control"), "no-store");
      assert.match(await response.text(), `${size} bytes`);
    }
  });

  test("what is no range, or several, gets the whole", async () => {
    await using site = await createSite({ "a.txt": "0123456789" });
    const url = `http://127.0.0.1/ipfs/${site.cid}/a.txt`;
    for (const range of ["foo=1-2", "bytes=1-2,4-5", "bytes=5-2", "bytes=-", "bytes=a-b", "1-2"]) {
      const response = await site.ask(url, { headers: { Range: range } });
      assert.is(response.status, 200, range);
      assert.is(response.headers.get("Accept-Ranges"), "bytes");
      assert.is(await response.text(), "0123456789", range);
    }
  });

  test("a download goes on only if the file is still the same", async () => {
    await using site = await createSite({ "a.txt": "0123456789" });
    const url = `http://127.0.0.1/ipfs/${site.cid}/a.txt`;
    const etag = (await site.ask(url)).headers.get("ETag")!;
    const resume = (tag: string) =>
      site.ask(url, { headers: { Range: "bytes=5-", "If-Range": tag } });
    assert.is((await resume(etag)).status, 206);
    for (const other of ['"other"', `W/${etag}`, "Wed, 21 Oct 2015 07:28:00 GMT"]) {
      const response = await resume(other);
      assert.is(response.status, 200, other);
      assert.is(await response.text(), "0123456789");
    }
  });

  test("a part is of the type of the whole, wherever it begins", async () => {
    const files: Record<string, string | Uint8Array> = {
      "film.mp4": FILM,
      "page.html": "<p>ä</p>",
      latin: Buffer.from("<html>\xe4".padEnd(5000), "latin1"),
      paper: "%PDF-1.7 and so on",
      notes: "ä".repeat(4000),
      noise: FILM,
    };
    await using site = await createSite(files);
    for (const name of Object.keys(files)) {
      const url = `http://127.0.0.1/ipfs/${site.cid}/${name}`;
      const whole = (await site.ask(url)).headers.get("Content-Type");
      for (const range of ["bytes=0-0", "bytes=1-2", "bytes=1-", "bytes=-1"]) {
        const part = await site.ask(url, { headers: { Range: range } });
        assert.is(part.headers.get("Content-Type"), whole, `${name} ${range}`);
      }
    }
  });

  test("a part is sent although the rest is missing", async () => {
    await using site = await createSite({ "film.mp4": FILM });
    const { node } = site;
    const { entry } = await node.open(`/ipfs/${site.cid}/film.mp4`);
    const parts = decode(await node.blocks.get(entry.cid)).Links;
    await using bare = await createSite({ "index.html": "x" });
    for (const cid of [...entry.roots, parts[1]!.Hash]) {
      await bare.node.helia.blockstore.put(cid, await node.blocks.get(cid));
    }
    const url = `http://127.0.0.1/ipfs/${site.cid}/film.mp4`;
    const middle = await bare.ask(url, { headers: { Range: "bytes=1048576-1048579" } });
    assert.is(middle.status, 206);
    const bytes = Buffer.from(await middle.arrayBuffer());
    assert.ok(bytes.equals(FILM.subarray(1048576, 1048580)));
    assert.is((await bare.ask(url)).status, 504);
  });
});
