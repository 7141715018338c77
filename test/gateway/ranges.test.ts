/** Parts of files (RFC 9110, section 14): what a video player and a resumed download ask for. */
import { Buffer } from "node:buffer";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { decode } from "@ipld/dag-pb";
import * as assert from "uvu/assert";
import { serve } from "../../gateway/serve.ts";
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
      ["bytes=99999999-,7-8", 7, 9],
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

  test("several ranges come as parts, and the connection stays in step", async () => {
    await using site = await createSite({ "a.txt": "0123456789ä", "film.mp4": FILM });
    await using server = await serve(site.app, { port: 0 });
    const root = `/ipfs/${site.cid}`;
    const cases: [string, string, [number, number][]][] = [
      ["a.txt", "bytes=6-7,0-1", [[6, 8], [0, 2]]],
      ["a.txt", "bytes=0-0, ,2-3 , -1,", [[0, 1], [2, 4], [11, 12]]],
      ["a.txt", "bytes=0-1,2-3,99-100", [[0, 2], [2, 4]]],
      ["film.mp4", "bytes=2400000-,1048570-1048579,0-1000000", [
        [2_400_000, SIZE],
        [1_048_570, 1_048_580],
        [0, 1_000_001],
      ]],
    ];
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      for (const [name, range, wanted] of cases) {
        const file = name === "a.txt" ? Buffer.from("0123456789ä") : Buffer.from(FILM);
        const { status, headers, body } = await ask(agent, server.url, `${root}/${name}`, range);
        assert.is(status, 206, range);
        assert.is(headers["content-length"], String(body.length), range);
        assert.is(headers["content-range"], undefined);
        const boundary = /^multipart\/byteranges; boundary=([\w-]{1,70})$/
          .exec(headers["content-type"]!)![1]!;
        const type = name === "a.txt" ? "text/plain; charset=utf-8" : "video/mp4";
        const parts = wanted.map(([start, end], i) =>
          Buffer.concat([
            Buffer.from(
              `${i === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${type}\r\n` +
                `Content-Range: bytes ${start}-${end - 1}/${file.length}\r\n\r\n`,
            ),
            file.subarray(start, end),
          ])
        );
        const whole = Buffer.concat([...parts, Buffer.from(`\r\n--${boundary}--\r\n`)]);
        assert.ok(whole.equals(body), range);
        const head = await site.ask(server.url + `${root}/${name}`, {
          method: "HEAD",
          headers: { Range: range },
        });
        assert.is(head.headers.get("Content-Length"), String(body.length));
        assert.is(head.headers.get("Content-Type"), headers["content-type"]);
      }
      // All of it came over one connection; had one answer been longer than it said, the next would not be readable.
      const { status, body } = await ask(agent, server.url, `${root}/a.txt`);
      assert.is(status, 200);
      assert.is(body.toString(), "0123456789ä");
    } finally {
      agent.destroy();
    }
  });

  test("parts of what nobody has are an honest error", async () => {
    await using site = await createSite({ "film.mp4": FILM });
    await using bare = await createSite({ "index.html": "x" });
    const { entry } = await site.node.open(`/ipfs/${site.cid}/film.mp4`);
    for (const cid of entry.roots) {
      await bare.node.helia.blockstore.put(cid, await site.node.blocks.get(cid));
    }
    const url = `http://127.0.0.1/ipfs/${site.cid}/film.mp4`;
    const response = await bare.ask(url, { headers: { Range: "bytes=1-2,2000000-2000003" } });
    assert.is(response.status, 504);
  });

  test("what is no range, or asks too much, gets the whole", async () => {
    await using site = await createSite({ "a.txt": "0123456789" });
    const url = `http://127.0.0.1/ipfs/${site.cid}/a.txt`;
    for (
      const range of [
        "foo=1-2",
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "1-2",
        "bytes=",
        "bytes=,",
        "bytes=1-2,x",
        "bytes=1-5,3-7",
        "bytes=0-,0-,0-,0-",
        "bytes=3-4,-9",
        `bytes=${Array.from({ length: 11 }, (_, i) => `${i}-${i}`)}`,
      ]
    ) {
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

/** Asks over a connection that is kept. */
function ask(
  agent: Agent,
  server: string,
  path: string,
  range?: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = range === undefined ? {} : { Range: range };
    const asking = request(server + path, { agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks) });
      });
    });
    asking.on("error", reject).end();
  });
}
