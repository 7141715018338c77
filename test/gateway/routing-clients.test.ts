/** The routing API as others read it: Helia's client, and Kubo with this node as its only router. */
import { delegatedRoutingV1HttpApiClient } from "@helia/delegated-routing-v1-http-api-client";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createGateway } from "../../gateway/app.ts";
import { serve } from "../../gateway/serve.ts";
import { parseKey } from "../../src/content/address.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";

/** A node with a site, its gateway on a socket. */
async function publisher() {
  await using opened = new AsyncDisposableStack();
  const dir = opened.use(await createFolder()).path;
  const node = opened.use(await createLoopbackNode());
  await addFiles(join(dir, "site"), { "index.html": "hello from a neighbour" });
  const site = await createSeeder(node).publish(join(dir, "site"), { name: "docs.example.org" });
  const server = opened.use(await serve(createGateway(node), { port: 0 }));
  const kept = opened.move();
  return { dir, node, server, ...site, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

suite("gateway: routing, read by others", (test, left) => {
  test("Helia's client finds the provider, the peer and the record, and hands a record in", async () => {
    await using site = await publisher();
    await using other = await createLoopbackNode();
    await using others = await serve(createGateway(other), { port: 0 });
    const component = () => Object.assign(() => {}, { error: () => {}, trace: () => {} });
    const logger = { forComponent: component } as never; // the client logs, and nobody reads it
    const client = (url: string) =>
      delegatedRoutingV1HttpApiClient({ url, cacheTTL: 0 })({ logger });
    const here = client(site.server.url);
    const address = site.node.addresses[0]!.split("/p2p/")[0];
    const peer = site.node.helia.libp2p.peerId.toCID();

    const found = [];
    for await (const record of here.getProviders(site.cid)) found.push(record);
    for await (const record of here.getPeers(peer)) found.push(record);
    assert.is(found.length, 2);
    for (const { ID, Addrs, Protocols } of found) {
      assert.is(ID.toString(), peer.toString());
      assert.equal(Addrs.map(String), [address]);
      assert.equal(Protocols, ["transport-bitswap"]);
    }

    const name = parseKey(site.key)!;
    const { bytes } = await site.node.names.record(name);
    assert.equal(await here.getIPNS(name), bytes);
    const there = client(others.url);
    await there.getIPNS(name).then(
      () => assert.unreachable("nobody has handed it in"),
      (error) => assert.is(error.name, "NotFoundError"),
    );
    await there.putIPNS(name, bytes);
    assert.equal(await there.getIPNS(name), bytes);
  });

  const missing = kuboAvailable();
  const what = "Kubo opens a site whose name, provider and address only this node tells it";
  if (missing) left(what, missing);
  else {
    test(what, async () => {
      await using site = await publisher();
      const ROUTER = "nethood";
      const method = { RouterName: ROUTER };
      await using kubo = await createKubo({
        dir: join(site.dir, "kubo"),
        routing: {
          Type: "custom",
          Routers: { [ROUTER]: { Type: "http", Parameters: { Endpoint: site.server.url } } },
          Methods: Object.fromEntries(
            ["find-providers", "find-peers", "get-ipns", "put-ipns", "provide"]
              .map((name) => [name, method]),
          ),
        },
      });
      const path = await kubo.ipfs(["name", "resolve", `/ipns/${site.key}`]);
      assert.is(path.trim(), `/ipfs/${site.cid}`);
      const page = await kubo.ipfs(["cat", `/ipns/${site.key}/index.html`]);
      assert.is(page.trim(), "hello from a neighbour");
      const peers = await kubo.ipfs(["swarm", "peers"]);
      assert.match(peers, site.node.id);
    });
  }
});
