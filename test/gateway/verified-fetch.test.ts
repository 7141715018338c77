/**
 * An independent reader that trusts no gateway: @helia/verified-fetch has ours as its only source, takes blocks and signed
 * records from it, and makes everything else of them itself.
 */
import { Buffer } from "node:buffer";
import { createVerifiedFetch } from "@helia/verified-fetch";
import * as dagCbor from "@ipld/dag-cbor";
import { dnsJsonOverHttps } from "@multiformats/dns/resolvers";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { serve, type Server } from "../../gateway/serve.ts";
import { thrown } from "../helpers/failure.ts";
import { DAG_CBOR } from "../helpers/memory-blocks.ts";
import { createSite, SITE, type Site } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { noise } from "../helpers/tricky-sites.ts";

/** Five blocks, the last of them not full. */
const BLOCK = 1_048_576, FILM = noise(5_000_000);

/** Requests for which a gateway need not be trusted: a hash or a signature tells whether the answer is right. */
const TRUSTLESS = /^\/ipfs\/\w+\?format=raw$|^\/routing\/v1\/(?:providers|ipns)\/\w+/;

/** For one test: a reader that gets nothing right goes on asking for ever. */
const LIMIT_MS = 40_000;

/** A reader with these gateways and nobody else; no peer is dialled, and none can dial it. */
async function createReader(gateways: string[], dns = "http://127.0.0.1:9/") {
  const read = await createVerifiedFetch({
    gateways,
    routers: gateways.slice(0, 1),
    allowInsecure: true,
    allowLocal: true,
    dnsResolvers: [dnsJsonOverHttps(dns)],
    libp2pConfig: { addresses: { listen: [] }, transports: [], peerDiscovery: [], services: {} },
  });
  return Object.assign(read, { [Symbol.asyncDispose]: () => read.stop() });
}

/** The site's gateway on a socket; `change` may do something to the answers on their way. */
async function open(
  site: Site,
  change: (answer: Response, path: string) => Response | Promise<Response> = (answer) => answer,
): Promise<Server & { asked: string[] }> {
  const asked: string[] = [];
  const server = await serve({
    async fetch(request, traits) {
      const { pathname, search } = new URL(request.url);
      asked.push(pathname + search);
      return await change(await site.app.fetch(request, traits), pathname);
    },
  }, { port: 0 });
  return Object.assign(server, { asked });
}

/** DNS in JSON over HTTP, as this reader asks for it: a text for each name. */
async function createJsonDns(texts: Record<string, string>): Promise<Server> {
  const answer = (name: string) =>
    name in texts ? [{ name, type: 16, TTL: 60, data: JSON.stringify(texts[name]) }] : [];
  return await serve({
    fetch({ url }) {
      return Response.json({ Status: 0, Answer: answer(new URL(url).searchParams.get("name")!) });
    },
  }, { port: 0 });
}

/** The same answer, but for the last bit of it. */
async function flipped(answer: Response): Promise<Response> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  bytes[bytes.length - 1]! ^= 1;
  return new Response(bytes, answer);
}

async function bytesOf(response: Response, status = 200): Promise<Buffer> {
  assert.is(response.status, status, response.statusText);
  return Buffer.from(await response.arrayBuffer());
}

suite("gateway: verified-fetch", (test) => {
  test("reads files, parts of them, and what is deep in folders and documents", async () => {
    const posts = Array.from({ length: 1100 }, (_, i) => `posts/${String(i).padStart(200, "p")}`);
    await using site = await createSite({
      "film.mp4": FILM,
      "guide/index.html": "<h1>Guide</h1>",
      ...Object.fromEntries(posts.map((name, i) => [name, `post ${i}`])),
    });
    const parts = { title: "Films", parts: [{ from: site.cid }] };
    const block = dagCbor.encode(parts);
    const document = CID.createV1(DAG_CBOR, await sha256.digest(block));
    await site.node.helia.blockstore.put(document, block);
    await using gateway = await open(site);
    await using read = await createReader([gateway.url]);

    const root = `ipfs://${site.cid}`;
    const page = await read(`${root}/guide/index.html`);
    assert.is(`${await bytesOf(page)}`, "<h1>Guide</h1>");
    assert.ok((await bytesOf(await read(`${root}/film.mp4`))).equals(FILM), "the whole film");

    // from the end of one block over a whole one into a third
    const [first, last] = [BLOCK - 5, 2 * BLOCK + 5];
    const part = await read(`${root}/film.mp4`, { headers: { Range: `bytes=${first}-${last}` } });
    assert.is(part.headers.get("Content-Range"), `bytes ${first}-${last}/${FILM.byteLength}`);
    assert.ok((await bytesOf(part, 206)).equals(FILM.subarray(first, last + 1)), "a part");

    const folder = await read(`${root}/posts`);
    assert.is(folder.headers.get("X-Unixfs-Type"), "hamt-sharded-directory");
    assert.is(`${await bytesOf(await read(`${root}/${posts[1066]}`))}`, "post 1066");
    assert.is((await read(`${root}/posts/1066`)).status, 404);

    assert.equal(dagCbor.decode(await bytesOf(await read(document))), parts);
    const through = await read(`ipfs://${document}/parts/0/from/guide/index.html`);
    assert.is(`${await bytesOf(through)}`, "<h1>Guide</h1>");

    assert.equal(gateway.asked.filter((path) => !TRUSTLESS.test(path)), []);
  });

  test("reads a site by its key and by its name", async () => {
    await using site = await createSite({ "guide/index.html": "<h1>Guide</h1>" });
    await using gateway = await open(site);
    await using dns = await createJsonDns({ [`_dnslink.${SITE}`]: `dnslink=/ipns/${site.key}` });

    for (const name of [site.key, SITE]) {
      await using read = await createReader([gateway.url], dns.url);
      const page = await read(`ipns://${name}/guide/index.html`);
      assert.is(`${await bytesOf(page)}`, "<h1>Guide</h1>");
      assert.match(page.headers.get("Cache-Control")!, /\bmax-age=60\b/);
    }
    assert.equal(gateway.asked.filter((path) => !TRUSTLESS.test(path)), []);
  });

  test("a gateway in between that changes a bit of a block is refused, and another asked", async () => {
    await using site = await createSite({ "film.mp4": FILM });
    const url = `ipfs://${site.cid}/film.mp4`;
    const lied = Promise.withResolvers<void>();
    await using liar = await open(site, async (answer) => {
      // The folder and the file's own block are right: it is what they lead to that is not.
      if (answer.headers.get("Content-Length") !== String(BLOCK)) return answer;
      const lie = await flipped(answer);
      lied.resolve();
      return lie;
    });

    // On its own the liar is as good as nobody: the reader waits for somebody better until it is told to stop.
    await using alone = await createReader([liar.url]);
    const enough = new AbortController();
    const reading = alone(url, { signal: enough.signal }).then(bytesOf).then(() => "the film");
    const waited = lied.promise.then(() => new Promise((resolve) => setTimeout(resolve, 500)));
    assert.is(await Promise.race([reading, waited]), undefined, "wrong bytes are taken");
    enough.abort();
    await thrown(reading);

    const lies = liar.asked.length;
    await using honest = await open(site);
    await using both = await createReader([liar.url, honest.url]);
    assert.ok((await bytesOf(await both(url))).equals(FILM), "the film, as it was published");
    assert.ok(liar.asked.length > lies, "the liar was asked too");
  });

  test("a gateway in between that changes a bit of an IPNS record is refused", async () => {
    await using site = await createSite({ "index.html": "<h1>Guide</h1>" });
    await using liar = await open(
      site,
      (answer, path) => path.startsWith("/routing/v1/ipns/") ? flipped(answer) : answer,
    );
    await using read = await createReader([liar.url]);
    const refused = await read(`ipns://${site.key}/index.html`);
    assert.is(refused.status, 500);
    assert.match(await refused.text(), "RecordsFailedValidationError");
    // It is that record alone that is wrong.
    assert.is(`${await bytesOf(await read(`ipfs://${site.cid}/index.html`))}`, "<h1>Guide</h1>");
  });
}, LIMIT_MS);
