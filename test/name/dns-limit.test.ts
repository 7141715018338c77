/** How much one network is told, in time that a test makes. */
import * as assert from "uvu/assert";
import { DnsLimit } from "../../src/name/dns-limit.ts";
import { suite } from "../helpers/suite.ts";

function count(limit: DnsLimit, addresses: string[], now: number) {
  const counts = { answer: 0, briefly: 0, drop: 0 };
  for (const address of addresses) counts[limit.take(address, now)]++;
  return counts;
}

suite("name/dns-limit", (test) => {
  test("a burst is answered, then twenty a second; of what is beyond, every second briefly", () => {
    const limit = new DnsLimit();
    const many = Array<string>(300).fill("203.0.113.9");
    assert.equal(count(limit, many, 0), { answer: 100, briefly: 100, drop: 100 });
    assert.is(count(limit, many, 1_000).answer, 20);
    assert.is(count(limit, many, 3_600_000).answer, 100, "no more after a long pause");
  });

  test("a network counts as one sender, however it is written", () => {
    const networks: [string[], string][] = [
      [["203.0.113.1", "203.0.113.250", "::ffff:203.0.113.7"], "203.0.114.1"],
      [
        ["2001:db8:1:2200::1", "2001:db8:1:22ff:f::9", "2001:DB8:1:2201:0:0:0:1"],
        "2001:db8:1:2300::1",
      ],
      [["2001:db8::1", "2001:db8:0:ff::"], "2001:db8:0:100::"],
      [["fe80::1%eth0", "fe80::2"], "::1"],
    ];
    for (const [inside, outside] of networks) {
      const limit = new DnsLimit();
      const all = Array.from({ length: 99 }, (_, n) => inside[n % inside.length]!);
      assert.is(count(limit, [...all, ...inside], 0).answer, 100, inside.join());
      assert.is(limit.take(outside, 0), "answer", outside);
    }
  });

  test("a flood from everywhere makes it forget, not grow", () => {
    const limit = new DnsLimit();
    const first = Array<string>(101).fill("198.51.100.1");
    assert.is(count(limit, first, 0).answer, 100);
    for (let n = 0; n < 10_000; n++) limit.take(`${n >> 12}.${n >> 6 & 63}.${n & 63}.1`, 0);
    assert.is(limit.take("198.51.100.1", 0), "answer");
  });
});
