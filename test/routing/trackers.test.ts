/** Readers who know nobody find a site through a tracker; whatever it says, nobody is delayed or misled by it. */
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { serve } from "../../gateway/serve.ts";
import { createTrackerApp } from "../../gateway/tracker/app.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createTracker } from "../../src/tracker.ts";
import { parseKey } from "../../src/content/address.ts";
import { readText } from "../helpers/bytes.ts";
import { createDnsServer } from "../helpers/dns-server.ts";
import { refusal } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode, untilPeers } from "../helpers/loopback-node.ts";
import { freePort } from "../helpers/port.ts";
import { createRandom } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";
import { createFakeTracker, type FakeTracker } from "../helpers/fake-tracker.ts";
import { until } from "../helpers/until.ts";

const SITE = "docs.example.org";

/** A site that one node has published, and a tracker that names it. */
async function published() {
  await using starting = new AsyncDisposableStack();
  const folder = starting.use(await createFolder({ "index.html": "hello" }));
  const tracker = starting.use(await createFakeTracker());
  const seeder = starting.use(await createLoopbackNode());
  const { cid, key } = await createSeeder(seeder).publish(folder.path, { name: SITE });
  name(tracker, cid, [seeder]);
  name(tracker, parseKey(key)!, [seeder]);
  const running = starting.move();
  const dispose = () => running.disposeAsync();
  return { folder, tracker, seeder, cid, key, [Symbol.asyncDispose]: dispose };
}

/** Makes a tracker say who has something. */
function name(
  { answers }: FakeTracker,
  what: CID,
  providers: { id: string; addresses: string[] }[],
): void {
  const Providers = providers.map(({ id, addresses }) => ({
    Schema: "peer",
    ID: id,
    Addrs: addresses,
    Protocols: ["transport-bitswap"],
  }));
  answers.set(`/routing/v1/providers/${what}`, { Providers });
}

suite("trackers", (test) => {
  test("who knows nobody reads by CID and by key, through a tracker alone, and is told of there", async () => {
    await using story = await published();
    const { tracker, cid, key } = story;
    await using stranger = await createLoopbackNode();
    await refusal("NO_PROVIDERS", () => readText(stranger, `/ipfs/${cid}/index.html`));
    await using reader = await createLoopbackNode({ trackers: [tracker.url] });
    assert.is(await readText(reader, `/ipfs/${cid}/index.html`), "hello");
    await until("the announce", () => tracker.announces.length > 0);
    const { id, reads, seeds } = tracker.announces.at(-1)!;
    assert.is(id, reader.id);
    assert.equal([...reads, ...seeds].map(({ text }) => text), [String(cid)]);

    await using other = await createLoopbackNode({ trackers: [tracker.url], announce: false });
    const record = await story.seeder.names.record(parseKey(key)!);
    tracker.answers.set(`/routing/v1/ipns/${parseKey(key)}`, record.bytes);
    const before = tracker.announces.length;
    assert.is(await readText(other, `/ipns/${key}/index.html`), "hello");
    await other.stop();
    assert.equal(tracker.announces.slice(before).filter(({ id }) => id === other.id), []);
  });

  test("a site's DNS names its tracker, which hears of that site alone, and its seeder", async () => {
    await using story = await published();
    const { tracker, seeder, key, cid } = story;
    await using elsewhere = await createFolder({ "index.html": "hello from elsewhere" });
    const other = await createSeeder(seeder).publish(elsewhere.path, { name: "other.example" });
    const text = (value: string) => ({ txt: [value], ttl: 60 });
    await using dns = await createDnsServer({
      [`_dnslink.${SITE}`]: text(`dnslink=/ipns/${key}`),
      [`_nethood.${SITE}`]: { txt: ["tracker=nonsense", `tracker=${tracker.url}`], ttl: 60 },
      "_dnslink.other.example": text(`dnslink=/ipfs/${other.cid}`),
      "_dnslink.third.example": text(`dnslink=/ipfs/${cid}`),
      "_dnsaddr.third.example": text(`dnsaddr=${seeder.address}`),
    });
    await using reader = await createLoopbackNode({ dns: [dns.address] });
    assert.is(await readText(reader, `http://${SITE}/index.html`), "hello");
    assert.ok(reader.told.some((line) => line.includes("nonsense")), "a broken address is told");
    await until("the announce", () => tracker.announces.length > 0);
    const before = tracker.asked.length;
    assert.is(
      await readText(reader, "http://other.example/index.html"),
      "hello from elsewhere",
    );
    await reader.stop();
    const told = tracker.announces.flatMap(({ seeds, reads }) => [...seeds, ...reads]);
    assert.equal(
      new Set(told.map(({ text }) => text)),
      new Set([`/ipns/${SITE}`, `/ipns/${key}`, String(cid)]),
    );
    assert.is(tracker.asked.length, before, "it was asked about a site of somebody else");

    await using guest = await createLoopbackNode({ dns: [dns.address] });
    assert.is(await readText(guest, "http://third.example/index.html"), "hello");
  });

  test("readers who come at one moment find each other while they read", async () => {
    await using folder = await createFolder({ "site/big.bin": createRandom(1).bytes(256 * 1024) });
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const [site, dir] = ["site", "tracker"].map((name) => join(folder.path, name));
    await using tracker = await createTracker({ dir: dir!, urls: [url] });
    await using _ = await serve(createTrackerApp(tracker), { port });
    // Slow enough that they read for some seconds.
    const rate = 32 * 1024;
    await using seeder = await createLoopbackNode({ trackers: [url], upload: rate });
    const { cid } = await createSeeder(seeder).publish(site!, { name: SITE, chunk: 16_384 });
    await using stack = new AsyncDisposableStack();
    const readers = await Promise.all(
      [1, 2, 3].map(async () => stack.use(await createLoopbackNode({ trackers: [url] }))),
    );
    const over = new AbortController();
    const reading = readers.map((reader) => reader.keep(`/ipfs/${cid}`, { signal: over.signal }));
    reading.forEach((work) => work.catch(() => undefined)); // not to its end
    await Promise.all(readers.map((reader) => untilPeers(reader, 3)));
    over.abort();
  });

  test("trackers that hang, are away, or name a hundred peers that hang delay nobody", async () => {
    await using story = await published();
    const { tracker, seeder, cid, key } = story;
    // It takes every connection, and says nothing.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as AddressInfo;
    const ids = await Promise.all(Array.from({ length: 100 }, strangerId));
    const hanging = ids.map((id) => ({ id, addresses: [`/ip4/127.0.0.1/tcp/${port}`] }));
    name(tracker, cid, hanging);
    tracker.answers.set(`/routing/v1/ipns/${parseKey(key)}`, "hang");
    const away = await createFakeTracker();
    await away[Symbol.asyncDispose]();
    await using reader = await createLoopbackNode({
      trackers: [tracker.url, away.url],
    });
    await reader.meet(seeder);
    const began = performance.now();
    assert.is(await readText(reader, `/ipns/${key}/index.html`), "hello");
    assert.is(await readText(reader, `/ipfs/${cid}/index.html`), "hello");
    // The limits that would be waited for are five seconds each.
    assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
    const stopping = performance.now();
    await reader.stop();
    assert.ok(performance.now() - stopping < 3_000, "nor is its end");
    silent.close();
  });

  test("peers that do not have it, named by a tracker, are not waited for", async () => {
    await using story = await published();
    const { tracker, seeder, cid } = story;
    await using others = new AsyncDisposableStack();
    const strangers = await Promise.all(
      Array.from({ length: 4 }, async () => others.use(await createLoopbackNode())),
    );
    name(tracker, cid, [...strangers, seeder]);
    await using reader = await createLoopbackNode({ trackers: [tracker.url] });
    const began = performance.now();
    assert.is(await readText(reader, `/ipfs/${cid}/index.html`), "hello");
    assert.ok(performance.now() - began < 3_000, `${performance.now() - began} ms`);
    assert.ok(strangers.every(({ id }) => reader.peers.includes(id)), "all were asked");
    name(tracker, cid, strangers);
    await using other = await createLoopbackNode({ trackers: [tracker.url] });
    await refusal("NO_PROVIDERS", () => readText(other, `/ipfs/${cid}/index.html`));
  });

  test("an older record, or somebody else's, from a tracker changes nothing", async () => {
    await using story = await published();
    const { folder, tracker, seeder, key } = story;
    const old = await seeder.names.record(parseKey(key)!);
    const { key: foreign } = await createSeeder(seeder).publish(folder.path, { name: "x.example" });
    const { cid } = await createSeeder(seeder).publish(folder.path, { name: SITE, chunk: 16_384 });
    const newest = await seeder.names.record(parseKey(key)!);
    await using reader = await createLoopbackNode({ trackers: [tracker.url] });
    tracker.answers.set(`/routing/v1/ipns/${parseKey(key)}`, newest.bytes);
    assert.is(String((await reader.resolve(`/ipns/${key}`)).cid), String(cid));
    tracker.answers.set(`/routing/v1/ipns/${parseKey(key)}`, old.bytes);
    const again = await reader.names.record(parseKey(key)!);
    assert.equal(again.sequence, newest.sequence);
    tracker.answers.set(`/routing/v1/ipns/${parseKey(foreign)}`, newest.bytes);
    await refusal("IPNS_INVALID", () => reader.resolve(`/ipns/${foreign}`));
  });
});

async function strangerId(): Promise<string> {
  const { generateKeyPair } = await import("@libp2p/crypto/keys");
  const { peerIdFromPrivateKey } = await import("@libp2p/peer-id");
  return peerIdFromPrivateKey(await generateKeyPair("Ed25519")).toString();
}
