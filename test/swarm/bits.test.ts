/** Sets of numbers as bits, against what the language itself has. */
import * as assert from "uvu/assert";
import {
  Bits,
  cheapest,
  eachCommon,
  haveCommon,
  outside,
  someCommon,
} from "../../src/swarm/bits.ts";
import { Counts } from "../../src/swarm/counts.ts";
import { createRandom } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";

/** Numbers around the borders of words are as likely as all others together. */
const MOST = 200;

const random = createRandom(7);
const number = () => random.chance(0.5) ? random.int(MOST) : random.pick([0, 31, 32, 33, 63, 64]);

function some(often: number): { bits: Bits; set: Set<number> } {
  const bits = new Bits();
  const set = new Set<number>();
  for (let i = 0; i < MOST; i++) {
    if (!random.chance(often)) continue;
    bits.add(i);
    set.add(i);
  }
  return { bits, set };
}

/** In the order in which a search that begins at `from`, and goes around, comes to them. */
function around(numbers: Iterable<number>, from: number, end: number): number[] {
  const start = from % end;
  const sorted = [...numbers].sort((one, other) => one - other);
  return [...sorted.filter((i) => i >= start), ...sorted.filter((i) => i < start)];
}

suite("bits", (test) => {
  test("behave as a set of numbers does", () => {
    for (let round = 0; round < 50; round++) {
      const bits = new Bits(random.int(100));
      const set = new Set<number>();
      for (let step = 0; step < 200; step++) {
        const i = number();
        const act = random.pick(["add", "delete", "has"] as const);
        if (act === "add") assert.is(bits.add(i), !set.has(i) && set.add(i) === set);
        else assert.is(bits[act](i), set[act](i), `${act} ${i}`);
        assert.is(bits.size, set.size);
      }
      assert.equal([...bits], [...set].sort((one, other) => one - other));
    }
  });

  test("of two sets the common members are visited, of a search those from its beginning on", () => {
    for (let round = 0; round < 200; round++) {
      const [a, b] = [some(random.pick([0, 0.03, 0.5, 1])), some(random.pick([0.03, 0.5]))];
      const common = [...a.set].filter((i) => b.set.has(i));
      const seen: number[] = [];
      eachCommon(a.bits, b.bits, (i) => seen.push(i));
      assert.equal(seen, common);
      assert.is(haveCommon(a.bits, b.bits), seen.length > 0);

      const from = random.int(400);
      const end = Math.min(a.bits.words.length, b.bits.words.length) * 32;
      const expected = around(common, from, end).slice(0, 5);
      const found: number[] = [];
      someCommon(a.bits, b.bits, from, (i) => found.push(i) === 5);
      assert.equal(found, expected, `from ${from} of ${end}`);
    }
  });

  test("what lies in none of two other sets is found, wherever the search begins", () => {
    for (let round = 0; round < 200; round++) {
      const [a, b, c] = [some(0.1), some(0.5), some(0.8)];
      const left = [...a.set].filter((i) => !b.set.has(i) && !c.set.has(i));
      const from = random.int(400);
      const expected = around(left, from, a.bits.words.length * 32)[0];
      assert.is(outside(a.bits, b.bits, c.bits, from), expected);
    }
  });

  test("the cheapest is the first of the least cost, and the search ends with what is cheap enough", () => {
    const all = some(1).bits;
    const costs = Array.from({ length: MOST }, () => 1 + random.int(9));
    const cost = (i: number) => costs[i]!;
    const from = 70;
    const order = around(all, from, all.words.length * 32);
    const least = order.find((i) => cost(i) === 1);
    assert.is(cheapest(all, all, cost, { from, enough: 0, most: Infinity }), least);

    let asked = 0;
    const counting = (i: number) => {
      asked++;
      return cost(i);
    };
    const first = order.findIndex((i) => cost(i) <= 3);
    assert.is(cheapest(all, all, counting, { from, enough: 3, most: Infinity }), order[first]);
    assert.is(asked, first + 1);

    asked = 0;
    cheapest(all, all, counting, { from, enough: 0, most: 10 });
    assert.is(asked, 10, "no more are looked at than were allowed");
    assert.is(cheapest(new Bits(), all, cost, { from, enough: 0, most: 10 }), undefined);
  });

  test("counts know how often something occurs, and what does at all", () => {
    const counts = new Counts();
    const plain = new Map<number, number>();
    for (let step = 0; step < 2_000; step++) {
      const i = number();
      const times = plain.get(i) ?? 0;
      assert.is(counts.of(i), times);
      if (times > 0 && random.chance(0.6)) {
        counts.remove(i);
        plain.set(i, times - 1);
      } else {
        counts.add(i);
        plain.set(i, times + 1);
      }
    }
    const occurring = [...plain].filter(([, times]) => times > 0).map(([i]) => i);
    assert.equal([...counts.some], occurring.sort((one, other) => one - other));
  });
});
