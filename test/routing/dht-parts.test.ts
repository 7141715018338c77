/** What is told in a DHT, to whom, and what its servers keep. */
import { Key } from "interface-datastore";
import { multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
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
    for (let i = 0; i < 200; i++) store.put(new Key(`/dht/record/r${i}`), one);
    assert.is(await count("/dht/record"), 200);
    store.delete(new Key("/dht/record/r0"));
    assert.is(await count("/dht/record"), 199);
    assert.throws(() => store.get(new Key("/dht/record/r0")), /not kept here/);
  });

  test("roots and keys are told, no DNS names; again before they are forgotten; and what is gone is not", async () => {
    const provided: string[] = [], withdrawn: string[] = [];
    let members = 30;
    const { announce, renew } = createTelling({
      origin: "the DHT",
      provide: (key: CID) => Promise.resolve(void provided.push(key.toString())),
      withdraw: (key) => Promise.resolve(void withdrawn.push(key.toString())),
      members: () => members,
      entered: () => Promise.resolve(),
    });
    const signal = new AbortController().signal;
    const say = (...seeds: string[]) =>
      announce({ event: "updated", seeds, addrs: [MACHINE] }, { signal });
    const { interval } = await say(ROOT, "/ipns/docs.example.org", `/ipns/${NAME}`);
    assert.ok(interval < 24 * 3_600);
    assert.is(provided.length, 2);
    await say(ROOT);
    assert.equal([provided.length, withdrawn.length], [2, 1]);
    members = 3;
    assert.ok((await renew("", 0, { signal }))! <= 300);
    assert.equal(provided.slice(2), [ROOT]);
    await announce({ event: "updated", seeds: [ROOT], addrs: [NETWORK] }, { signal });
    assert.equal(provided.slice(2), [ROOT, ROOT]);
  });
});
