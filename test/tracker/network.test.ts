/** Whom a tracker tells of whom: nobody is sent where they cannot go, or where somebody wants them to knock. */
import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.ts";
import {
  type Announcer,
  at,
  AWAY,
  createAnnouncer,
  createTestTracker,
  ROOT,
  type TestTracker,
} from "../helpers/tracker.ts";

/** A house with a router: one address outside, private ones inside. */
const HOUSE = "198.51.100.7";

suite("tracker: networks", (test) => {
  test("private addresses are told behind the same public address alone, loopback on the same machine", async () => {
    await using t = await createTestTracker();
    const anna = await createAnnouncer();
    const inside = at("192.168.1.5");
    const addrs = [at(HOUSE), inside, at("127.0.0.1"), at("fd00::5"), at("fe80::1")];
    await t.announce(anna, { seeds: [ROOT], addrs }, HOUSE);
    assert.equal(await addresses(t, HOUSE), [at(HOUSE), inside, at("fd00::5"), at("fe80::1")]);
    assert.equal(await addresses(t, "::ffff:198.51.100.7"), await addresses(t, HOUSE));
    // A neighbour of the house is outside of it; so are this machine and its network.
    for (const from of ["198.51.100.8", AWAY, "192.168.1.6", "127.0.0.1"]) {
      assert.equal(await addresses(t, from), [at(HOUSE)], from);
    }
    const { headers } = await t.ask(`/routing/v1/providers/${ROOT}`, HOUSE);
    assert.match(headers.get("cache-control")!, /^private/);

    const home = await createAnnouncer();
    await t.announce(
      home,
      { event: "updated", seeds: [ROOT], addrs: addrs.slice(1) },
      "192.168.1.5",
    );
    await t.announce(anna, { event: "stopped" }, HOUSE);
    t.clock.now += 1_001;
    assert.equal(await addresses(t, "192.168.1.9"), [inside, at("fd00::5"), at("fe80::1")]);
    assert.equal(await addresses(t, "127.0.0.1"), [inside, at("fd00::5"), at("fe80::1")]);
    assert.equal(await addresses(t, AWAY), undefined);

    await t.announce(home, { event: "updated", seeds: [ROOT], addrs }, "127.0.0.1");
    t.clock.now += 1_001;
    assert.ok((await addresses(t, "::1"))!.includes(at("127.0.0.1")));
    assert.not((await addresses(t, "192.168.1.9"))!.includes(at("127.0.0.1")));
  });

  test("who asks at home while somebody there has just come is told of them, and a stranger after them is not", async () => {
    await using t = await createTestTracker();
    const [anna, ben] = [await createAnnouncer(), await createAnnouncer()];
    await t.announce(anna, { seeds: [ROOT], addrs: [at(AWAY)] }, AWAY);
    await t.providers(ROOT, AWAY); // The key is one that was asked for lately.
    const inside = at("192.168.1.5");
    await t.announce(ben, { seeds: [ROOT], addrs: [inside] }, HOUSE);
    const told = async (from: string) =>
      (await t.ask(`/routing/v1/providers/${ROOT}`, from)).text.includes(inside);
    assert.ok(await told(HOUSE));
    assert.not(await told("192.0.2.1"));
    assert.ok(await told(HOUSE));
  });

  test("addresses elsewhere, such as a victim's, are told to nobody before the peer was met there", async () => {
    const dialled: string[] = [];
    const there = at("192.88.1.1");
    const gate = Promise.withResolvers<void>();
    const dial = async (address: string) => {
      dialled.push(address);
      await gate.promise;
      return address.startsWith(there) || address.startsWith(at(HOUSE));
    };
    await using t = await createTestTracker({ dial });
    using _ = opening(gate);
    const anna = await createAnnouncer();
    const victim = at("192.88.7.7", 80);
    const router = at(AWAY, 80); // that of who will ask
    const inside = ["10.0.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "::1"]
      .map((ip) => at(ip, 80));
    const mapped = ["/ip6/::ffff:10.0.0.1/tcp/80", "/ip6/::ffff:7f00:1/tcp/80", at("0.0.0.0")];
    const addrs = [at(HOUSE), victim, router, there, ...inside, ...mapped];
    await t.announce(anna, { seeds: [ROOT], addrs }, HOUSE);
    assert.equal(await addresses(t, AWAY), [at(HOUSE)]);
    gate.resolve();
    await t.tracker.checked();
    t.clock.now += 1_001;
    assert.equal(await addresses(t, AWAY), [at(HOUSE), there]);
    const ends = [at(HOUSE), victim, router, there].map((address) => `${address}/p2p/${anna.id}`);
    assert.equal(dialled.sort(), ends.sort(), "nobody outside makes us knock at doors inside");

    // What was proved holds for the next announce, without another dial; and one place is not dialled again so soon.
    await t.announce(anna, { event: "updated", seeds: [ROOT], addrs }, HOUSE);
    await t.announce(await createAnnouncer(), { seeds: [ROOT], addrs: [victim] }, AWAY);
    await t.tracker.checked();
    t.clock.now += 1_001;
    assert.equal(await addresses(t, AWAY), [at(HOUSE), there]);
    assert.is(dialled.length, 4);
  });

  test("addresses at which nobody can be are neither told nor dialled", async () => {
    const dialled: string[] = [];
    const dial = (address: string) => Promise.resolve(dialled.push(address) > 0);
    await using t = await createTestTracker({ dial });
    const nowhere = ["0.1.2.3", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255"];
    const clothed = ["::", "::ffff:c633:6407", "64:ff9b::a00:1", "2002:a00:1::1", "ff02::1"];
    const addrs = [...nowhere, ...clothed, HOUSE].map((ip) => at(ip));
    await t.announce(await createAnnouncer(), { seeds: [ROOT], addrs }, HOUSE);
    await t.tracker.checked();
    t.clock.now += 1_001;
    for (const from of [HOUSE, AWAY]) assert.equal(await addresses(t, from), [at(HOUSE)], from);
    assert.is(dialled.length, 1);
  });

  test("who is in a private network is dialled there: that one asks for it itself", async () => {
    const dialled: string[] = [];
    const dial = (address: string) => Promise.resolve(dialled.push(address) > 0);
    await using t = await createTestTracker({ dial });
    const anna = await createAnnouncer();
    const addrs = [at("192.168.1.5"), at("127.0.0.1")];
    await t.announce(anna, { seeds: [ROOT], addrs }, "192.168.1.5");
    await t.tracker.checked();
    assert.equal(dialled, [`${at("192.168.1.5")}/p2p/${anna.id}`]);
  });

  test("an address through a relay is told while the relay is there", async () => {
    const relay = "12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8";
    const living = at("192.88.1.1"), dead = at("192.88.2.2");
    const gate = Promise.withResolvers<void>();
    const dial = async (address: string) => {
      await gate.promise;
      return address === `${living}/p2p/${relay}`;
    };
    await using t = await createTestTracker({ dial });
    using _ = opening(gate);
    const through = [living, dead].map((address) => `${address}/p2p/${relay}/p2p-circuit`);
    await t.announce(await createAnnouncer(), { seeds: [ROOT], addrs: through }, HOUSE);
    assert.equal(await addresses(t, AWAY), undefined);
    gate.resolve();
    await t.tracker.checked();
    t.clock.now += 1_001;
    assert.equal(await addresses(t, AWAY), [through[0]]);
  });

  test("the asker's own network comes first, then who was met, last who was not there; readers among seeders", async () => {
    const gone = new Set<string>();
    const dial = (address: string) =>
      Promise.resolve(!gone.has(address.split("/p2p/")[1]!) && !address.includes("/udp/"));
    await using t = await createTestTracker({ dial });
    const who: Record<string, Announcer> = {};
    const announce = async (name: string, ip: string, whole: boolean, addr = at(ip)) => {
      who[name] = await createAnnouncer();
      if (name.startsWith("gone")) gone.add(who[name].id);
      const keys = whole ? { seeds: [ROOT] } : { reads: [ROOT] };
      await t.announce(who[name], { ...keys, addrs: [addr] }, ip);
    };
    await announce("gone", "192.88.1.1", true);
    await announce("gone next door", "203.0.113.9", true);
    for (let i = 0; i < 3; i++) await announce(`seeder ${i}`, `192.88.2${i}.1`, true);
    for (let i = 0; i < 3; i++) await announce(`reader ${i}`, `192.88.3${i}.1`, false);
    await announce("unknown", "192.88.4.1", true, "/ip4/192.88.4.1/udp/4001/quic-v1");
    await announce("next door", "203.0.113.7", false);
    await t.tracker.checked();
    const names = new Map(Object.entries(who).map(([name, { id }]) => [id, name]));
    const order = (await t.providers(ROOT, AWAY)).map((id) => names.get(id)!.replace(/ \d$/, ""));
    assert.equal(order, [
      "next door",
      "gone next door",
      ...["seeder", "reader", "seeder", "reader", "seeder", "reader"],
      "unknown",
      "gone",
    ]);
  });

  test("in a great crowd an answer has a hundred, of whom some are next door and not all", async () => {
    await using t = await createTestTracker({ app: { rate: { burst: 1_000 } } });
    const announced = Array.from({ length: 330 }, async (_, i) => {
      const ip = i < 110 ? `203.0.113.${i + 1}` : `192.88.${i % 100}.${i % 200 + 1}`;
      await t.announce(await createAnnouncer(), { seeds: [ROOT], addrs: [at(ip)] }, ip);
    });
    await Promise.all(announced);
    const { json: { Providers } } = await t.ask(`/routing/v1/providers/${ROOT}`, AWAY);
    const near = Providers.map(({ Addrs }: { Addrs: string[] }) => Addrs[0]!.includes("203.0.113"));
    assert.is(near.length, 100);
    assert.equal(near.slice(0, 70), Array(70).fill(true));
    assert.ok(near.filter((own: boolean) => !own).length >= 10);
  });
});

/** Opens a gate however the test ends: a tracker ends when its dials have. */
function opening(gate: PromiseWithResolvers<void>): Disposable {
  return { [Symbol.dispose]: gate.resolve };
}

/** The addresses of the only provider, as told to somebody at an address. */
async function addresses(t: TestTracker, from: string): Promise<string[] | undefined> {
  const { json } = await t.ask(`/routing/v1/providers/${ROOT}`, from);
  return json.Providers[0]?.Addrs;
}
