/** The tracker as a Delegated Routing V1 endpoint. */
import { delegatedRoutingV1HttpApiClient } from "@helia/delegated-routing-v1-http-api-client";
import { loadOrCreateSelfKey } from "@libp2p/config";
import { generateKeyPair } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@helia/interface";
import { createIPNSRecord, IPNSEntry } from "@helia/ipns";
import { peerIdFromString } from "@libp2p/peer-id";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CID } from "multiformats/cid";
import { serve } from "../../gateway/serve.ts";
import { createTrackerApp } from "../../gateway/tracker/app.ts";
import { signAnnounce } from "../../src/routing/announce.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createTracker } from "../../src/tracker.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { at, AWAY, createAnnouncer, createTestTracker, ROOT } from "../helpers/tracker.ts";

const RECORD = "application/vnd.ipfs.ipns-record";

suite("tracker: delegated routing", (test, left) => {
  test("JSON and NDJSON, what it may be kept for, 200 for nobody, 422 for nonsense", async () => {
    await using t = await createTestTracker();
    const anna = await createAnnouncer();
    const nobody = await t.ask(`/routing/v1/providers/${ROOT}`);
    assert.equal([nobody.status, nobody.json], [200, { Providers: [] }]);
    assert.match(nobody.headers.get("cache-control")!, /max-age=15, stale-while-revalidate=172800/);
    const none = await t.ask(`/routing/v1/peers/${anna.id}`);
    assert.equal([none.status, none.json], [200, { Peers: [] }]);
    await t.announce(anna, { seeds: [ROOT], addrs: [at("192.88.1.1")] }, "192.88.1.1");
    t.clock.now += 1_001;
    const found = await t.ask(`/routing/v1/providers/${ROOT}`);
    assert.match(found.headers.get("cache-control")!, /^public, max-age=300/);
    assert.is(found.headers.get("access-control-allow-origin"), "*");
    // Every way to write the hash is the same question.
    const cid = CID.parse(ROOT);
    for (const other of [cid.toV0(), CID.createV1(0x55, cid.multihash)]) {
      assert.is((await t.ask(`/routing/v1/providers/${other}`)).text, found.text);
    }
    const lines = await t.ask(`/routing/v1/providers/${ROOT}`, AWAY, {
      headers: { Accept: "application/x-ndjson" },
    });
    assert.is(lines.headers.get("content-type"), "application/x-ndjson");
    assert.equal(JSON.parse(lines.text), found.json.Providers[0]);
    for (const path of ["providers/x", "peers/x", "dht/closest/peers/x"]) {
      assert.is((await t.ask(`/routing/v1/${path}`)).status, 422, path);
    }
  });

  test("a peer is found by its ID, near to a key, and through the filters of IPIP-484", async () => {
    await using t = await createTestTracker();
    const anna = await createAnnouncer();
    const addrs = [at("192.88.1.1"), "/ip4/192.88.1.1/udp/4001/quic-v1"];
    await t.announce(anna, { seeds: [ROOT], addrs }, "192.88.1.1");
    const cid = peerIdFromString(anna.id).toCID();
    const filtered = (query: string) => t.ask(`/routing/v1/providers/${ROOT}?${query}`);
    for (const path of [`peers/${anna.id}`, `peers/${cid}`, `dht/closest/peers/${ROOT}`]) {
      const { Peers: [peer] } = (await t.ask(`/routing/v1/${path}`)).json;
      assert.equal([peer.ID, peer.Addrs, peer.Schema], [anna.id, addrs, "peer"], path);
    }
    const [quic] = (await filtered("filter-addrs=quic-v1")).json.Providers;
    assert.equal([quic.Addrs, quic.Seeder], [addrs.slice(1), true]);
    assert.equal((await filtered("filter-addrs=!udp,!tcp")).json.Providers, []);
    assert.equal(
      (await filtered("filter-protocols=transport-ipfs-gateway-http")).json.Providers,
      [],
    );
  });

  test("IPNS records are checked when they come, and the newest one is handed out", async () => {
    await using t = await createTestTracker();
    const key = await generateKeyPair("Ed25519");
    const name = key.publicKey.toCID().toString();
    const record = async (sequence: bigint, by: unknown = key) =>
      // Two packages have a type each for the same key.
      IPNSEntry.encode(
        await createIPNSRecord(by as PrivateKey, `/ipfs/${ROOT}`, sequence, 3_600_000),
      );
    const put = async (bytes: Uint8Array) => {
      const init = { method: "PUT", headers: { "Content-Type": RECORD }, body: bytes };
      return (await t.ask(`/routing/v1/ipns/${name}`, AWAY, init as RequestInit)).status;
    };
    const get = () => t.ask(`/routing/v1/ipns/${name}`, AWAY, { headers: { Accept: RECORD } });
    assert.not.match((await get()).headers.get("content-type")!, /ipns-record/);
    assert.is(await put(await record(2n)), 200);
    const newest = await get();
    assert.equal([newest.status, newest.headers.get("content-type")], [200, RECORD]);
    // An older one is no error to whoever keeps it alive, and changes nothing.
    assert.is(await put(await record(1n)), 200);
    assert.is((await get()).text, newest.text);
    assert.is(await put(await record(9n, await generateKeyPair("Ed25519"))), 400);
    assert.is(await put(new Uint8Array(20_000)), 400);
    assert.is(await put(new Uint8Array([1, 2, 3])), 400);
    assert.is((await get()).text, newest.text);
    t.clock.now += 2 * 3_600_000;
    const over = await get();
    assert.is(over.status, 200);
    assert.match(over.text, /^The IPNS record of k51\w+ has expired\./);
  });

  test("followers of a site's key are the providers of the key", async () => {
    await using t = await createTestTracker();
    const anna = await createAnnouncer();
    const key = (await generateKeyPair("Ed25519")).publicKey.toCID();
    await t.announce(anna, { seeds: [`/ipns/${key}`], addrs: [at("192.88.1.1")] }, "192.88.1.1");
    assert.equal(await t.providers(key.toString()), [anna.id]);
  });

  test("Helia's own client finds who announced, and their record", async () => {
    await using site = await published();
    const logger = { forComponent: () => Object.assign(() => {}, { error() {}, trace() {} }) };
    const client = delegatedRoutingV1HttpApiClient({ url: site.url, cacheTTL: 0 })({
      logger: logger as never, // the client logs, and nobody reads it
    });
    const found = [];
    for await (const record of client.getProviders(site.cid)) found.push(record);
    for await (const record of client.getPeers(site.node.helia.libp2p.peerId.toCID())) {
      found.push(record);
    }
    const id = site.node.helia.libp2p.peerId.toCID().toString();
    assert.equal(found.map(({ ID }) => ID.toString()), [id, id]);
    const [address] = site.node.address.split("/p2p/");
    assert.equal(found.map(({ Addrs }) => Addrs.map(String)), [[address], [address]]);
    assert.equal(await client.getIPNS(site.name), site.record);
  });

  const missing = kuboAvailable();
  const what = "Kubo opens a site of which only the tracker tells it";
  if (missing) left(what, missing);
  else {
    test(what, async () => {
      await using site = await published();
      const names = ["find-providers", "find-peers", "get-ipns", "put-ipns", "provide"];
      const method = { RouterName: "tracker" };
      await using kubo = await createKubo({
        dir: join(site.dir, "kubo"),
        routing: {
          Type: "custom",
          Routers: { tracker: { Type: "http", Parameters: { Endpoint: site.url } } },
          Methods: Object.fromEntries(names.map((name) => [name, method])),
        },
      });
      const page = await kubo.ipfs(["cat", `/ipns/${site.name}/index.html`]);
      assert.is(page.trim(), "found by a tracker");
    });
  }
});

/** A node with a site, announced to a tracker on a socket; its record is handed in there. */
async function published() {
  await using opened = new AsyncDisposableStack();
  const dir = opened.use(await createFolder()).path;
  const node = opened.use(await createLoopbackNode());
  await addFiles(join(dir, "site"), { "index.html": "found by a tracker" });
  const { cid, key } = await createSeeder(node).publish(join(dir, "site"), {
    name: "docs.example.org",
  });
  const urls = ["http://127.0.0.1"];
  const tracker = opened.use(await createTracker({ dir: join(dir, "tracker"), urls }));
  const server = opened.use(await serve(createTrackerApp(tracker), { port: 0 }));
  const { url } = server;
  const name = CID.parse(key);
  const { bytes: record } = await node.names.record(name);
  const body = await signAnnounce(await loadOrCreateSelfKey(node.helia.datastore), {
    tracker: urls[0]!,
    event: "started",
    seeds: [cid.toString(), `/ipns/${key}`],
    addrs: node.addresses,
  });
  const announced = await fetch(`${url}/tracker/v1/announce`, { method: "POST", body });
  assert.is(announced.status, 200, await announced.text());
  const headers = { "Content-Type": RECORD };
  const init = { method: "PUT", headers, body: record } as RequestInit;
  assert.is((await fetch(`${url}/routing/v1/ipns/${key}`, init)).status, 200);
  const kept = opened.move();
  return { dir, node, url, cid, name, record, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
