/** What is told in a DHT, to whom, and what its servers keep. */
import { Key } from "interface-datastore";
import { multiaddr } from "@multiformats/multiaddr";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import type { AnnounceEvent } from "../../src/routing/announce.ts";
import { scopeOf } from "../../src/routing/dht-scope.ts";
import { DhtStore } from "../../src/routing/dht-store.ts";
import { createTelling } from "../../src/routing/dht-telling.ts";
import { ROOT } from "../helpers/tracker.ts";
import { suite } from "../helpers/suite.ts";

const NAME = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8";
const WORLD = "/ip4/192.88.1.1/tcp/1", NETWORK = "/ip4/192.168.1.5/tcp/1";
const MACHINE = "/ip4/127.0.0.1/tcp/1", EVERYWHERE = "/ip4/0.0.0.0/tcp/0";

suite("dht: parts", (test) => {
  test("a DHT of a local network and the public one never mix, nor are addresses told beyond", () => {
    const all = [WORLD, NETWORK, MACHINE].map((text) => multiaddr(text));
    const scoped = (...from: string[]) => {
      const { protocol, within } = scopeOf(from.map((text) => multiaddr(text)));
      return [protocol, within(all).map(String)];
    };
    assert.equal(scoped(NETWORK, EVERYWHERE), ["/ipfs/lan/kad/1.0.0", [NETWORK]]);
    assert.equal(scoped(MACHINE), ["/ipfs/lan/kad/1.0.0", [NETWORK, MACHINE]]);
    assert.equal(scoped(NETWORK, WORLD), ["/ipfs/kad/1.0.0", [WORLD]]);
    assert.equal(scoped("/dnsaddr/example.org"), ["/ipfs/kad/1.0.0", [WORLD]]);
    assert.equal(scoped(), ["/ipfs/lan/kad/1.0.0", [NETWORK, MACHINE]]);
  });

  test("a server keeps so much of one peer, for one thing, and in all; the oldest goes", async () => {
    const store = new DhtStore();
    const key = (thing: string, peer: string) => new Key(`/dht/provider/${thing}/${peer}`);
    const count = async (prefix: string) => {
      let entries = 0;
      for await (const _ of store.query({ prefix })) entries++;
      return entries;
    };
    const one = new Uint8Array([1]);
    for (let i = 0; i < 150; i++) store.put(key("a", `p${i}`), one);
    assert.is(await count("/dht/provider/a"), 100);
    assert.equal([store.has(key("a", "p49")), store.has(key("a", "p50"))], [false, true]);
    for (let i = 0; i < 1_500; i++) store.put(key(`t${i}`, "greedy"), one);
    assert.is(await count("/dht/provider"), 1_100);
    for (let i = 0; i < 25_000; i++) store.put(key(`u${i}`, `q${i}`), one);
    assert.is(await count("/dht/provider"), 20_000);
    assert.not(store.has(key("a", "p149")));
    // A record is one of many below one prefix.
    const record = (i: number) => new Key(`/dht/record/r${i}`);
    for (let i = 0; i < 2_100; i++) store.put(record(i), one);
    assert.is(await count("/dht/record"), 2_000);
    assert.equal([store.has(record(99)), store.has(record(100))], [false, true]);
    store.delete(record(100));
    assert.is(await count("/dht/record"), 1_999);
    assert.throws(() => store.get(record(100)), /not kept here/);
  });

  test("what is handed in again is no longer the oldest", () => {
    const store = new DhtStore();
    const key = (peer: number) => new Key(`/dht/provider/a/p${peer}`);
    const put = (peer: number) => store.put(key(peer), new Uint8Array([peer]));
    for (const peer of [0, 1, 2, 0]) put(peer);
    for (let peer = 3; peer <= 100; peer++) put(peer);
    assert.equal([0, 1, 2, 100].map((peer) => store.has(key(peer))), [true, false, true, true]);
    assert.equal(store.get(key(0)), new Uint8Array([0]));
  });

  test("roots and keys are told, no DNS names; again before they are forgotten; and what is gone is not", async () => {
    const t = telling();
    const { interval } = await t.say(ROOT, "/ipns/docs.example.org", `/ipns/${NAME}`);
    assert.ok(interval > 3_600 && interval < 24 * 3_600);
    assert.equal(t.done.slice(0, 1), ["entered"], "before anything is told");
    assert.is(t.told().length, 2);
    await t.say(ROOT);
    assert.equal([t.told().length, t.done.filter((one) => /^withdrawn/.test(one)).length], [2, 1]);
    t.members = 3;
    assert.ok((await t.renew())! <= 300);
    assert.equal(t.told().slice(2), [ROOT]);
    t.addrs = [NETWORK];
    await t.say(ROOT);
    assert.equal(t.told().slice(2), [ROOT, ROOT]);
    // What is added or ended is told with all the rest, at the next update.
    const before = t.done.length;
    for (const event of ["started", "completed", "stopped"] as const) await t.announce(event, ROOT);
    assert.is(t.done.length, before);
    await t.renew();
    assert.equal(t.told().slice(4), [ROOT]);
  });

  test("of very many keys a hundred are told, few at once", async () => {
    const t = telling();
    await t.say(...await Promise.all(Array.from({ length: 150 }, (_, i) => root(i))));
    assert.is(t.told().length, 100);
    assert.equal(t.told().slice(0, 1), [await root(0)]);
    assert.is(t.most, 4);
  });
});

/** What a DHT is told, in the order in which it was. */
function telling() {
  const signal = new AbortController().signal;
  let running = 0;
  const { announce, renew } = createTelling({
    origin: "the DHT",
    async provide(key: CID) {
      t.most = Math.max(t.most, ++running);
      await new Promise((resolve) => setTimeout(resolve));
      running--;
      t.done.push(`told ${key}`);
    },
    withdraw: (key) => Promise.resolve(void t.done.push(`withdrawn ${key}`)),
    members: () => t.members,
    entered: () => Promise.resolve(void t.done.push("entered")),
  });
  const t = {
    members: 30,
    addrs: [MACHINE],
    done: [] as string[],
    /** Keys that were told at once, most. */
    most: 0,
    told: () => t.done.filter((one) => one.startsWith("told ")).map((one) => one.slice(5)),
    announce: (event: AnnounceEvent, ...seeds: string[]) =>
      announce({ event, seeds, addrs: t.addrs }, { signal }),
    say: (...seeds: string[]) => t.announce("updated", ...seeds),
    renew: () => renew("", 0, { signal }),
  };
  return t;
}

async function root(i: number): Promise<string> {
  const hash = await sha256.digest(new TextEncoder().encode(`root ${i}`));
  return CID.createV1(0x70, hash).toString();
}
