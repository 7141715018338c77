/** IPNS records, for whoever checks them; and answers that ask nobody. */
import * as dagCbor from "@ipld/dag-cbor";
import { base36 } from "multiformats/bases/base36";
import * as assert from "uvu/assert";
import { readRecord } from "../../../src/name/record.ts";
import { createDnsServer } from "../../helpers/dns-server.ts";
import { utf8 } from "../../helpers/bytes.ts";
import { DAG_CBOR, RAW } from "../../helpers/memory-blocks.ts";
import { untilPeers } from "../../helpers/loopback-node.ts";
import { createShelf } from "../../helpers/shelf.ts";
import { createKeychain, nameOf, signRecord } from "../../helpers/signer.ts";
import { suite } from "../../helpers/suite.ts";

const RECORD = "application/vnd.ipfs.ipns-record";
const CACHED = { headers: { "Cache-Control": "only-if-cached" } };

suite("gateway: IPNS records", (test) => {
  test("the record as it was signed, for as long as it says", async () => {
    await using shelf = await createShelf();
    const key = await createKeychain().generateKey("test");
    const name = nameOf(key);
    const bytes = await signRecord(key, { ttl: 1800, v1Compatible: false });
    await shelf.node.names.put(name, bytes);
    const path = `/ipns/${name.toString(base36)}`;
    for (const way of [{ query: "?format=ipns-record" }, { headers: { Accept: RECORD } }]) {
      const { query = "", ...init } = way;
      const response = await shelf.ask(path + query, init);
      assert.is(response.status, 200);
      assert.is(response.headers.get("Content-Type"), RECORD);
      assert.is(response.headers.get("Cache-Control"), "public, max-age=1800");
      assert.is(response.headers.get("X-Content-Type-Options"), "nosniff");
      assert.is(
        response.headers.get("Content-Disposition"),
        `attachment; filename="${name.toString(base36)}.ipns-record"`,
      );
      const got = new Uint8Array(await response.arrayBuffer());
      const { expires, value } = readRecord(got);
      assert.is(value, readRecord(bytes).value);
      const held = Date.parse(response.headers.get("Expires")!);
      assert.ok(Math.abs(held - expires) < 1000);
      assert.is(
        response.headers.get("Content-Location"),
        query ? null : `${path}?format=ipns-record`,
      );
    }
    const tag = async () => (await shelf.ask(`${path}?format=ipns-record`)).headers.get("ETag");
    const before = await tag();
    await shelf.node.names.put(name, await signRecord(key, { sequence: 2n }));
    assert.is.not(await tag(), before);
  });

  test("what is no key has no record, and neither has what is below one", async () => {
    await using shelf = await createShelf({ names: { "docs.example.org": "/ipfs/bafkqaaa" } });
    const root = await shelf.blocks.add([{ path: "a", content: utf8("a") }]);
    await shelf.stock();
    const key = (await shelf.node.names.publish("test", root)).toString(base36);
    const wrong = [`/ipfs/${root}`, `/ipns/${key}/a`, "/ipns/docs.example.org", "/ipfs/bafkqaaa"];
    for (const path of wrong) {
      assert.is((await shelf.ask(`${path}?format=ipns-record`)).status, 400, path);
    }
    const unknown = nameOf(await createKeychain().generateKey("other")).toString(base36);
    assert.is((await shelf.ask(`/ipns/${unknown}?format=ipns-record`)).status, 404);
  });
});

suite("gateway: only-if-cached", (test) => {
  test("what is here is sent, what is not is a 412, and nobody is asked for it", async () => {
    await using neighbour = await createShelf();
    const { blocks } = neighbour;
    const here = await blocks.put(RAW, utf8("here"));
    const away = await blocks.put(RAW, utf8("away"));
    const doc = await blocks.put(DAG_CBOR, dagCbor.encode({ here, away }));
    const root = await blocks.node({
      type: "DIRECTORY",
      links: [{ cid: here, name: "here" }, { cid: away, name: "away" }, { cid: doc, name: "doc" }],
    });
    await neighbour.stock();
    await using shelf = await createShelf({ peers: [neighbour.node.address], timeout: 5_000 });
    await untilPeers(shelf.node, 1);
    for (const cid of [here, doc, root]) {
      await shelf.node.helia.blockstore.put(cid, await blocks.get(cid));
    }
    const formats = ["", "?format=raw", "?format=car", "?format=tar"];
    for (const method of ["GET", "HEAD"]) {
      for (const format of formats) {
        for (const name of ["here", "doc/here"]) {
          const { status } = await shelf.ask(`/ipfs/${root}/${name}${format}`, {
            ...CACHED,
            method,
          });
          assert.is(status, 200, `${method} ${name}${format}`);
        }
        for (const path of [`${root}/away`, `${root}/doc/away`, away]) {
          const { status } = await shelf.ask(`/ipfs/${path}${format}`, { ...CACHED, method });
          assert.is(status, 412, `${method} ${path}${format}`);
        }
      }
    }
    assert.is(
      (await shelf.ask(`/ipfs/${root}/none`, CACHED)).status,
      404,
      "known from what is here",
    );
    // It was there to be had all the time.
    assert.is(await (await shelf.ask(`/ipfs/${root}/away`)).text(), "away");
    assert.is((await shelf.ask(`/ipfs/${root}/away`, CACHED)).status, 200);
  });

  test("names: what is remembered, and no question to anybody", async () => {
    await using dns = await createDnsServer({
      "_dnslink.docs.example.org": { txt: ["dnslink=/ipfs/bafkqablimvwgy3y"], ttl: 60 },
    });
    await using shelf = await createShelf({
      dns: [dns.address],
      names: { "static.example.org": "/ipfs/bafkqablimvwgy3y" },
    });
    const status = async (path: string) => (await shelf.ask(path, CACHED)).status;
    assert.is(await status("/ipns/docs.example.org"), 412);
    assert.is(await status("/ipns/static.example.org"), 200);
    const unknown = nameOf(await createKeychain().generateKey("other")).toString(base36);
    assert.is(await status(`/ipns/${unknown}`), 412);
    assert.is(await status(`/ipns/${unknown}?format=ipns-record`), 412);
    assert.equal(dns.queries, []);
    assert.is(await (await shelf.ask("/ipns/docs.example.org")).text(), "hello");
    const asked = dns.queries.length;
    assert.is(await status("/ipns/docs.example.org"), 200);
    const own = await shelf.node.names.publish("test", await shelf.blocks.put(RAW, utf8("own")));
    await shelf.stock();
    assert.is(await status(`/ipns/${own.toString(base36)}`), 200);
    assert.is(await status(`/ipns/${own.toString(base36)}?format=ipns-record`), 200);
    assert.is(dns.queries.length, asked);
  });
});
