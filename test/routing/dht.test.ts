/** A site is found through a DHT of ten nodes by those who know nothing but where to enter it. */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { multihashToIPNSRoutingKey } from "@helia/ipns";
import type { KadDHT } from "@libp2p/kad-dht";
import { multiaddr } from "@multiformats/multiaddr";
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { createSeeder } from "../../src/seeder.ts";
import { encodeMessage, frame, prefixOf } from "../helpers/bitswap-wire.ts";
import { createBareHost } from "../helpers/bare-host.ts";
import { readText, utf8 } from "../helpers/bytes.ts";
import { createDhtNet, dhtClient, kadOf, LAN_DHT } from "../helpers/dht-net.ts";
import { createLiar } from "../helpers/liar.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const SITE = "docs.example.org";

/** Eight servers and a publisher, who answers nobody: with a reader they are ten. */
async function published() {
  await using starting = new AsyncDisposableStack();
  const net = starting.use(await createDhtNet(8));
  const folder = starting.use(await createFolder({ "index.html": "one", "a/b.txt": "bee" }));
  const publisher = await net.client();
  const seeder = createSeeder(publisher);
  const publish = () => seeder.publish(folder.path, { name: SITE, ttl: 1_000 });
  const { cid, key } = await publish();
  await net.untilProvided(cid);
  const name = parseKey(key)!;
  const running = starting.move();
  const dispose = () => running.disposeAsync();
  return { net, folder, publisher, publish, cid, key, name, [Symbol.asyncDispose]: dispose };
}

suite("dht", (test) => {
  test("a reader who knows where to enter opens a site by root, and by key, and sees an update", async () => {
    await using story = await published();
    const { net, cid, key, publisher } = story;
    const reader = await net.client();
    await until("the entry", () => kadOf(reader).routingTable.size > 0);
    assert.not(reader.peers.includes(publisher.id));
    assert.is(await readText(reader, `/ipfs/${cid}/index.html`), "one");
    assert.is(await readText(reader, `/ipfs/${cid}/a/b.txt`), "bee");
    assert.ok(reader.peers.includes(publisher.id));

    const server = net.servers.at(-1)!;
    const { multiaddrs } = await reader.helia.libp2p.peerRouting.findPeer(
      server.helia.libp2p.peerId,
    );
    assert.ok(multiaddrs.some((address) => server.address.startsWith(address.toString())));

    const other = await net.client({ push: false });
    assert.is(await readText(other, `/ipns/${key}/index.html`), "one");
    await addFiles(story.folder.path, { "index.html": "two" });
    await story.publish();
    for (const node of [reader, other]) {
      const newest = async () => await readText(node, `/ipns/${key}/index.html`) === "two";
      await until("the update", newest, 20_000);
    }
  });

  test("an older record is taken by nobody, and a reader who asks gets the newest", async () => {
    await using story = await published();
    const { net, publisher, name, key } = story;
    const { bytes: old } = await publisher.names.record(name, { local: true });
    await addFiles(story.folder.path, { "index.html": "two" });
    await story.publish();
    const { bytes: newest } = await publisher.names.record(name, { local: true });
    const routingKey = multihashToIPNSRoutingKey(name.multihash);
    const answers = async () => {
      const records: Uint8Array[] = [];
      for await (const event of kadOf(await net.client()).get(routingKey)) {
        if (event.name === "PEER_RESPONSE" && event.record) records.push(event.record.value);
      }
      return records;
    };
    const isNewest = (bytes: Uint8Array) => Buffer.compare(bytes, newest) === 0;
    await until("the newest record", async () => (await answers()).some(isNewest), 30_000);
    const taken: boolean[] = [];
    const liar = kadOf(await net.client());
    for await (const event of liar.put(routingKey, old)) {
      if (event.name === "PEER_RESPONSE" && event.messageName === "PUT_VALUE") taken.push(true);
    }
    const after = await answers();
    assert.ok(
      after.length > 0 && after.every(isNewest),
      `${after.length}, ${taken.length} took it`,
    );
    assert.is(await readText(await net.client(), `/ipns/${key}/index.html`), "two");
  });

  test("providers that have nothing, send nonsense, or are nowhere hurt no reader", async () => {
    await using net = await createDhtNet(6);
    await using folder = await createFolder({ "index.html": "one", "a/b.txt": "bee" });
    const publisher = await net.client({ announce: false });
    const { cid } = await createSeeder(publisher).publish(folder.path, { name: SITE });
    const empty = await net.client();
    await drain(kadOf(empty).provide(cid));
    const gone = await net.client();
    await drain(kadOf(gone).provide(cid));
    await gone.stop();
    const nonsense = { prefix: prefixOf(cid), data: utf8("nonsense") };
    await using liar = await createLiar(
      () => frame(encodeMessage({ blocks: [nonsense] })),
      { services: dhtClient },
    );
    await liar.libp2p.dial(multiaddr(net.bootstrap[0]!));
    await drain((liar.libp2p.services.dht as KadDHT).provide(cid));
    await net.untilProvided(cid, 3);
    const reader = await net.client();
    const reading = readText(reader, `/ipfs/${cid}/index.html`);
    await until("the nonsense to be heard", () => /not asked any more/.test(reader.told.join()));
    await drain(kadOf(publisher).provide(cid));
    assert.is(await reading, "one");
    assert.is(await readText(reader, `/ipfs/${cid}/a/b.txt`), "bee");
    assert.not(reader.peers.includes(liar.id));
  });

  test("the publisher gone, whoever comes opens the site from a follower", async () => {
    await using story = await published();
    const { net, publisher, key, name, cid } = story;
    const follower = await net.client();
    await follower.follower.follow(key, { keep: 1 });
    await net.untilProvided(cid, 2);
    await publisher.stop();
    const reader = await net.client();
    assert.is(await readText(reader, `/ipns/${key}/a/b.txt`), "bee");
    assert.ok(reader.peers.includes(follower.id));
    assert.is((await reader.names.record(name, { local: true })).number, 1);
  });

  test("a DHT that answers nothing delays nobody who has a neighbour", async () => {
    const silent = await createBareHost();
    await using _over = { [Symbol.asyncDispose]: async () => void await silent.stop() };
    await silent.handle(LAN_DHT, () => undefined);
    const bootstrap = silent.getMultiaddrs().map(String);
    await using folder = await createFolder({ "index.html": "near" });
    await using neighbour = await createLoopbackNode();
    const publish = { name: SITE, ttl: 1_000 };
    const { key } = await createSeeder(neighbour).publish(folder.path, publish);
    await using reader = await createLoopbackNode({ bootstrap });
    await reader.meet(neighbour);
    const took = async (work: () => Promise<unknown>) => {
      const before = performance.now();
      await work();
      return performance.now() - before;
    };
    assert.ok(await took(() => readText(reader, `/ipns/${key}/index.html`)) < 2_000);
    await neighbour.stop();
    // What is known is valid: who has it does not wait for news of it.
    assert.ok(await took(() => reader.names.record(parseKey(key)!)) < 2_000);
  });

  test("only what was published, followed or kept is told, and nothing where nobody is to be told", async () => {
    await using net = await createDhtNet(3);
    await using folder = await createFolder({ "index.html": "one" });
    const publisher = await net.client();
    const { cid } = await createSeeder(publisher).publish(folder.path, { name: SITE });
    await net.untilProvided(cid);
    const reader = await net.client();
    const silent = await net.client({ announce: false });
    await silent.keep(`/ipfs/${cid}`);
    const { found } = await reader.locate(`/ipfs/${cid}/index.html`);
    await readText(reader, `/ipfs/${found.cid}`);
    await until("the file to be held whole", () => reader.shares.held().seeds.length > 0);
    await sleep(1_500);
    assert.equal(await net.providers(found.cid), []);
    assert.equal(await net.providers(cid), [publisher.id]);
    await reader.keep(`/ipfs/${cid}`);
    await net.untilProvided(cid, 2);
    assert.equal((await net.providers(cid)).sort(), [publisher.id, reader.id].sort());
  });
});

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}
