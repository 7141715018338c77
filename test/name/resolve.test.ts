/** From an address through its names to a CID and a path. */
import * as assert from "uvu/assert";
import { parseAddress } from "../../src/content/address.ts";
import { createTxtResolver } from "../../src/name/dns.ts";
import { createDnsLink } from "../../src/name/dnslink.ts";
import { createResolver } from "../../src/name/resolve.ts";
import type { Value } from "../../src/name/value.ts";
import { Records } from "../../src/store/records.ts";
import { createDnsServer, type Zone } from "../helpers/dns-server.ts";
import { failure } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

const CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const KEY = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8";

const link = (value: string, ttl = 60): { txt: string[]; ttl: number } => ({
  txt: [`dnslink=${value}`],
  ttl,
});

/** A resolver that reads names from a zone, and the one key's value from `key`; a clock that the test moves. */
async function setUp(zone: Zone, key: Value = { value: `/ipfs/${CID}`, ttl: 60 }) {
  const dir = await createFolder();
  const server = await createDnsServer(zone);
  const records = new Records(dir.path);
  const clock = { now: 1_000_000 };
  const resolver = createResolver({
    dnsLink: createDnsLink(createTxtResolver([server.address], { timeout: 100 })),
    ipns: () => Promise.resolve(key),
    records,
    now: () => clock.now,
    patience: 60_000,
  });
  return {
    server,
    clock,
    resolve: (address: string) => resolver.resolve(parseAddress(address)),
    async [Symbol.asyncDispose]() {
      resolver.stop();
      records.close();
      await server.stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}

suite("name/resolve", (test) => {
  test("an immutable address is its own answer, and nobody is asked", async () => {
    await using node = await setUp({});
    const { cid, path, ttl, chain, stale } = await node.resolve(`/ipfs/${CID}/a/b.html`);
    assert.equal([String(cid), path, ttl, chain, stale], [
      CID,
      ["a", "b.html"],
      undefined,
      [`/ipfs/${CID}/a/b.html`],
      false,
    ]);
    assert.equal(node.server.queries, []);
  });

  test("follows DNSLink to key to DNSLink to content; each path goes before the last, the shortest TTL counts", async () => {
    await using node = await setUp({
      "_dnslink.docs.example.org": link(`/ipns/${KEY}/en`, 300),
      "_dnslink.host.example.net": link(`/ipfs/${CID}/sites`, 120),
    }, { value: "/ipns/host.example.net/docs", ttl: 45 });
    const { cid, path, ttl, chain } = await node.resolve(
      "http://docs.example.org/a%20b/index.html",
    );
    assert.is(String(cid), CID);
    assert.equal(path, ["sites", "docs", "en", "a b", "index.html"]);
    assert.is(ttl, 45);
    assert.equal(chain, [
      "/ipns/docs.example.org/a%20b/index.html",
      `/ipns/${KEY}/en/a%20b/index.html`,
      "/ipns/host.example.net/docs/en/a%20b/index.html",
      `/ipfs/${CID}/sites/docs/en/a%20b/index.html`,
    ]);
    node.clock.now += 10_000;
    assert.is((await node.resolve("http://docs.example.org/")).ttl, 35);
    node.clock.now += 30_000;
    assert.is((await node.resolve("http://docs.example.org/")).ttl, 5);
    assert.is(node.server.queries.length, 2, "and nothing was asked twice");
  });

  test("the one name that is from memory makes the whole answer stale", async () => {
    const owner = "_dnslink.docs.example.org";
    await using node = await setUp({ [owner]: link(`/ipns/${KEY}`, 1) });
    assert.is((await node.resolve("http://docs.example.org/")).stale, false);
    node.server.trouble.rcode = 2;
    node.clock.now += 1_000;
    const { cid, stale, ttl } = await node.resolve("http://docs.example.org/");
    assert.equal([String(cid), stale, ttl], [CID, true, 30]);
  });

  const circles: [string, Zone][] = [
    ["to itself", { "_dnslink.a.example.org": link("/ipns/a.example.org/deeper") }],
    ["to each other", {
      "_dnslink.a.example.org": link("/ipns/b.example.org"),
      "_dnslink.b.example.org": link("/ipns/a.example.org"),
    }],
  ];
  for (const [what, zone] of circles) {
    test(`says so where names lead ${what}, and asks each of them once`, async () => {
      await using node = await setUp(zone);
      const error = await failure(node.resolve("/ipns/a.example.org/x"));
      assert.equal([error.code, error.status], ["NAME_LOOP", 400]);
      assert.match(error.message, "/ipns/a.example.org/x");
      assert.match(error.hint!, "publisher");
      assert.is(node.server.queries.length, Object.keys(zone).length);
    });
  }

  test("follows 32 names, and not one more", async () => {
    const zone: Zone = { "_dnslink.n32.example.org": link(`/ipfs/${CID}`) };
    for (let n = 0; n < 32; n++) {
      zone[`_dnslink.n${n}.example.org`] = link(`/ipns/n${n + 1}.example.org`);
    }
    await using node = await setUp(zone);
    assert.is(String((await node.resolve("/ipns/n1.example.org")).cid), CID);
    const error = await failure(node.resolve("/ipns/n0.example.org"));
    assert.is(error.code, "NAME_LOOP");
    assert.match(error.message, "more than 32 names");
  });

  test("a value of 12 kB is a path like any other; one that climbs is none", async () => {
    const long = "long/".repeat(2_400);
    await using node = await setUp({
      "_dnslink.long.example.org": link(`/ipfs/${CID}/${long}`),
      "_dnslink.up.example.org": link(`/ipfs/${CID}/../../etc`),
      "_dnslink.hidden.example.org": link(`/ipfs/${CID}/%2e%2e/etc`),
    });
    assert.is((await node.resolve("/ipns/long.example.org/end")).path.length, 2_401);
    for (const name of ["up", "hidden"]) {
      const error = await failure(node.resolve(`/ipns/${name}.example.org/`));
      assert.is(error.code, "NO_DNSLINK", name);
    }
  });
});
