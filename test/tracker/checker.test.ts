/** Names among a peer's addresses: believed where they lead to where it announced from, and never dialled. */
import * as assert from "uvu/assert";
import { type Reach, readReach } from "../../src/routing/reach.ts";
import { createChecker } from "../../src/tracker/checker.ts";
import { askerAt } from "../../src/tracker/order.ts";
import { suite } from "../helpers/suite.ts";
import { at, createAnnouncer } from "../helpers/tracker.ts";

const HOUSE = "198.51.100.7";

const NAMES: Record<string, string[]> = {
  "own.example.org": ["2001:db8::7", HOUSE],
  "victim.example.org": ["192.88.7.7"],
};

suite("tracker: checker", (test) => {
  test("a name of one's own is proved by the DNS, somebody else's is not, and an address by a dial", async () => {
    const { id } = await createAnnouncer();
    const dialled: string[] = [];
    const asked: string[] = [];
    const found: unknown[] = [];
    const checker = createChecker(
      (address) => Promise.resolve(dialled.push(address) > 0),
      { met: (...met) => Promise.resolve(void found.push(met)) },
      {
        now: () => 5_000,
        log: assert.unreachable,
        addressesOf: (name) => Promise.resolve((asked.push(name), NAMES[name] ?? [])),
      },
    );
    const names = ["own.example.org", "victim.example.org", "nowhere.example.org"];
    const addresses = [...names.map((name) => `/dns4/${name}/tcp/443/wss`), at(HOUSE)];
    const reaches = addresses.map((address) => readReach(address, id)) as Reach[];
    checker.check({ id, from: askerAt(HOUSE), reaches });
    await checker.idle();
    assert.equal(found, [[id, 5_000, [addresses[0]]]]);
    assert.equal(addresses.map((address) => checker.knows(id, address)), [
      true,
      false,
      false,
      false,
    ]);
    assert.equal(asked, names);
    assert.equal(dialled, [`${at(HOUSE)}/p2p/${id}`]);
    await checker.stop();
  });
});
