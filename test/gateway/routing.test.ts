/** Delegated Routing V1: what this node tells of itself and others, and whom it tells. */
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import { serve } from "../../gateway/serve.ts";
import type { PeerRecord } from "../../gateway/routing/filter.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { createKeychain, nameOf } from "../helpers/signer.ts";
import { createSite } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";

const NOWHERE = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const API = "http://127.0.0.1:7080/routing/v1";
const RECORD = "application/vnd.ipfs.ipns-record";
const EMPTY_HOLDS = /^private, max-age=15, stale-while-revalidate=172800, stale-if-error=172800$/;

type Ask = (path: string, init?: RequestInit, client?: string) => Promise<Response>;

/** A node that has one site, and what asks its API, from this machine unless a client's address says otherwise. */
async function publisher() {
  const site = await createSite({ "index.html": "hello" });
  const ask: Ask = async (path, init, client = "127.0.0.1") =>
    await site.app.fetch(new Request(API + path, init), { client });
  return Object.assign(site, { asks: ask });
}

const providers = async (response: Response) =>
  ((await response.json()) as { Providers: PeerRecord[] }).Providers;

suite("gateway: routing", (test) => {
  test("providers: this node where it has the block, and 200 with nothing where not", async () => {
    await using site = await publisher();
    const found = await site.asks(`/providers/${site.cid}`);
    assert.is(found.status, 200);
    assert.is(found.headers.get("content-type"), "application/json");
    assert.match(found.headers.get("cache-control")!, /^private, max-age=300, stale-while-/);
    assert.match(found.headers.get("vary")!, /^Accept\b/);
    assert.ok(Math.abs(Date.now() - Date.parse(found.headers.get("last-modified")!)) < 5_000);
    const [self, ...others] = await providers(found);
    assert.is(others.length, 0);
    assert.is(self!.Schema, "peer");
    assert.is(self!.ID, site.node.id);
    assert.equal(self!.Protocols, ["transport-bitswap"]);

    const none = await site.asks(`/providers/${NOWHERE}`);
    assert.is(none.status, 200);
    assert.match(none.headers.get("cache-control")!, EMPTY_HOLDS);
    assert.equal(await none.json(), { Providers: [] });
    const head = await site.asks(`/providers/${site.cid}`, { method: "HEAD" });
    assert.is(head.status, 200);
    assert.is(await head.text(), "");
  });

  test("a line each for who asks for it by name, never for who does not", async () => {
    await using site = await publisher();
    const cases: [string | undefined, number, string?][] = [
      [undefined, 200, "application/json"],
      ["*/*", 200, "application/json"],
      ["application/x-ndjson", 200, "application/x-ndjson"],
      ["application/x-ndjson, application/json;q=0.8", 200, "application/x-ndjson"],
      ["application/json, application/x-ndjson;q=0.5", 200, "application/json"],
      ["application/*;q=0.1", 200, "application/json"],
      ["text/html", 406],
      ["application/x-ndjson;q=0", 406],
    ];
    for (const [accept, status, type] of cases) {
      const asked = await site.asks(`/providers/${site.cid}`, {
        headers: accept === undefined ? {} : { accept },
      });
      assert.is(asked.status, status, accept);
      const text = await asked.text();
      if (type === undefined) continue;
      assert.is(asked.headers.get("content-type"), type, accept);
      if (type.endsWith("ndjson")) assert.is(JSON.parse(text).ID, site.node.id);
    }
    const none = await site.asks(`/providers/${NOWHERE}`, {
      headers: { accept: "application/x-ndjson" },
    });
    assert.is(await none.text(), "");
  });

  test("peers: where a neighbour is, by either form of its ID; nothing of strangers", async () => {
    await using one = await createLoopbackNode();
    await using two = await createLoopbackNode();
    await one.meet(two);
    const app = createGateway(one);
    const ask: Ask = async (path, init, client = "127.0.0.1") =>
      await app.fetch(new Request(API + path, init), { client });
    const peers = async (id: string, client?: string) =>
      (await (await ask(`/peers/${id}`, {}, client)).json()).Peers as PeerRecord[];
    const address = two.addresses[0]!.split("/p2p/")[0];
    const { libp2p } = two.helia;
    // identify runs after the connection
    while (!(await peers(two.id))[0]?.Protocols.length) {
      await new Promise((go) => setTimeout(go, 20));
    }
    for (const id of [two.id, libp2p.peerId.toCID().toString()]) {
      const [record] = await peers(id);
      assert.is(record!.ID, two.id);
      assert.equal(record!.Addrs, [address]);
      assert.equal(record!.Protocols, ["transport-bitswap"]);
    }
    assert.equal((await peers(one.id))[0]!.Addrs, [one.addresses[0]!.split("/p2p/")[0]]);
    const stranger = nameOf(await createKeychain().generateKey("stranger")).toString();
    assert.equal(await peers(stranger), []);
    // loopback addresses are of no use elsewhere
    assert.equal((await peers(two.id, "192.168.1.9"))[0]!.Addrs, []);
  });

  test("who is elsewhere gets only addresses that lead somewhere from there", async () => {
    await using site = await publisher();
    const addresses = [
      "/ip4/127.0.0.1/tcp/4001",
      "/ip4/192.168.1.5/tcp/4001",
      "/ip6/fe80::1/tcp/4001",
      "/ip4/203.0.113.5/udp/4001/webrtc-direct",
      "/dns4/docs.example.org/tcp/443/wss",
    ];
    const node = Object.create(site.node, {
      addresses: { value: addresses.map((address) => `${address}/p2p/${site.node.id}`) },
    });
    const app = createGateway(node);
    const seen = async (client: string, headers: HeadersInit = {}) => {
      const request = new Request(`${API}/providers/${site.cid}`, { headers });
      return (await providers(await app.fetch(request, { client })))[0]!.Addrs;
    };
    assert.equal(await seen("127.0.0.1"), addresses);
    assert.equal(await seen("::1"), addresses);
    assert.equal(await seen("192.168.1.9"), addresses.slice(1));
    assert.equal(await seen("fe80::9%eth0"), addresses.slice(1));
    assert.equal(await seen("198.51.100.7"), addresses.slice(3));
    // behind a reverse proxy on this machine may be anybody
    assert.equal(await seen("127.0.0.1", { "x-forwarded-for": "::1" }), addresses.slice(1));
  });

  test("a page learns nothing of a node that is this machine's alone, and gives it nothing", async () => {
    await using site = await publisher();
    const path = `/providers/${site.cid}`;
    const pages: Record<string, string>[] = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      // every site that is read as a path is of the gateway's own origin
      { "sec-fetch-site": "same-origin" },
      { origin: "http://evil.example" },
    ];
    for (const headers of pages) {
      const asked = await site.asks(path, { headers });
      assert.is(asked.status, 200);
      assert.equal(await asked.json(), { Providers: [] }, JSON.stringify(headers));
      assert.match(asked.headers.get("vary")!, /Origin, Sec-Fetch-Site/);
      const self = await site.asks(`/peers/${site.node.id}`, { headers });
      assert.equal(await self.json(), { Peers: [] });
      const put = await site.asks(`/ipns/${site.key}`, {
        method: "PUT",
        headers: { ...headers, "content-type": RECORD },
        body: "x",
      });
      assert.is(put.status, 403);
      // a node that serves others tells everybody, as it does over bitswap
      assert.is((await providers(await site.asks(path, { headers }, "192.168.1.9"))).length, 1);
    }
    // an address that a person typed, and a program
    for (
      const headers of [{ "sec-fetch-site": "none" }, { "sec-fetch-mode": "cors" }] as HeadersInit[]
    ) {
      assert.is((await providers(await site.asks(path, { headers }))).length, 1);
    }
  });

  test("filters are read from the request", async () => {
    await using site = await publisher();
    const left = async (query: string) =>
      (await providers(await site.asks(`/providers/${site.cid}?${query}`))).length;
    assert.is(await left("filter-protocols=transport-bitswap"), 1);
    assert.is(await left("filter-protocols=transport-graphsync"), 0);
    assert.is(await left("filter-addrs=unknown"), 1);
    assert.is(await left("filter-addrs=tcp"), 0);
  });

  test("a site's own folder of that name stays the site's", async () => {
    await using site = await createSite({ "routing/v1/providers/x": "the site's" });
    const asked = await site.ask("http://docs.example.org/routing/v1/providers/x");
    assert.is(await asked.text(), "the site's");
  });

  test("ipns: the record as it was signed, and how long it holds", async () => {
    await using site = await publisher();
    const accept = { accept: RECORD };
    const got = await site.asks(`/ipns/${site.key}`, { headers: accept });
    assert.is(got.status, 200);
    assert.is(got.headers.get("content-type"), RECORD);
    assert.match(got.headers.get("cache-control")!, /^public, max-age=60, stale-while-revalidate=/);
    assert.is(got.headers.get("vary"), "Accept");
    const expires = Date.parse(got.headers.get("expires")!);
    assert.ok(Math.abs(expires - Date.now() - 30 * 86_400_000) < 60_000);
    const record = new Uint8Array(await got.arrayBuffer());
    const etag = got.headers.get("etag")!;
    const again = await site.asks(`/ipns/${site.key}`, {
      headers: { ...accept, "if-none-match": etag },
    });
    assert.is(again.status, 304);

    await using other = await createSite({ "index.html": "another" });
    const theirs = `${API}/ipns/${site.key}`;
    const send = (body: Uint8Array, type = RECORD) =>
      other.ask(theirs, {
        method: "PUT",
        headers: { "content-type": type },
        body: body as Uint8Array<ArrayBuffer>,
      });
    const none = await other.ask(theirs, { headers: accept });
    assert.is(none.status, 200);
    assert.match(none.headers.get("content-type")!, /^text\/plain/);
    assert.match(none.headers.get("cache-control")!, /max-age=60/);
    assert.is((await send(record, "application/octet-stream")).status, 406);
    assert.is((await send(record.slice(0, -1))).status, 400);
    assert.is((await send(new Uint8Array())).status, 400);
    assert.is((await send(record, `${RECORD}; charset=binary`)).status, 200);
    const copy = await other.ask(theirs, { headers: accept });
    assert.equal(new Uint8Array(await copy.arrayBuffer()), record);
    assert.is(copy.headers.get("etag"), etag);

    assert.is((await site.asks(`/ipns/${site.key}`)).status, 406);
    const any = { headers: { accept: "*/*" } };
    assert.is((await site.asks(`/ipns/${site.key}`, any)).status, 406);
    assert.is((await site.asks("/ipns/docs.example.org", { headers: accept })).status, 400);
  });

  test("ipns: no more of a body is read than a record can have", async () => {
    await using site = await publisher();
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 4096;
        controller.enqueue(new Uint8Array(4096));
      },
    });
    const put = await site.asks(`/ipns/${site.key}`, {
      method: "PUT",
      headers: { "content-type": RECORD },
      body,
      duplex: "half",
    } as RequestInit);
    assert.is(put.status, 400);
    assert.ok(sent <= 6 * 4096, `${sent} bytes were read`);
  });

  test("a socket stays usable after a body that was refused", async () => {
    await using site = await publisher();
    await using server = await serve(site.app, { port: 0 });
    const put = await fetch(`${server.url}/routing/v1/ipns/${site.key}`, {
      method: "PUT",
      headers: { "content-type": RECORD },
      body: new Uint8Array(1024 * 1024),
    });
    assert.is(put.status, 400);
    assert.match(await put.text(), /over 10 KiB/);
    const next = await fetch(`${server.url}/routing/v1/providers/${site.cid}`);
    assert.is((await providers(next)).length, 1);
  });

  test("what cannot be read is 422, what is not there 400, what is not done 501; pages may ask", async () => {
    await using site = await publisher();
    const cases: [string, string, number][] = [
      ["GET", "/providers/not-a-cid", 422],
      ["GET", "/peers/docs.example.org", 422],
      ["GET", `/peers/${NOWHERE}`, 422],
      ["GET", "", 400],
      ["GET", "/", 400],
      ["GET", "/provider/x", 400],
      ["GET", `/providers/${NOWHERE}/more`, 400],
      ["GET", `/dht/closest/peers/${NOWHERE}`, 501],
      ["POST", `/providers/${NOWHERE}`, 501],
      ["PUT", "/providers", 501],
      ["PUT", `/peers/${site.node.id}`, 501],
      ["DELETE", `/ipns/${site.key}`, 501],
      ["OPTIONS", `/ipns/${site.key}`, 204],
    ];
    for (const [method, path, status] of cases) {
      const asked = await site.asks(path, { method });
      await asked.body?.cancel();
      assert.is(asked.status, status, `${method} ${path}`);
      assert.is(asked.headers.get("access-control-allow-origin"), "*", `${method} ${path}`);
      assert.is(asked.headers.get("access-control-allow-methods"), "GET, PUT, OPTIONS");
    }
    assert.equal(site.log, []);
  });
});
