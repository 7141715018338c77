/** What a tracker looks up, and what it tells again: many who ask for one thing are one look-up, few are told what is so now. */
import * as assert from "uvu/assert";
import { createAnswers } from "../../src/tracker/answers.ts";
import { askerAt } from "../../src/tracker/order.ts";
import type { Provider, TrackerStore } from "../../src/tracker/store.ts";
import { suite } from "../helpers/suite.ts";

const PEER: Provider = {
  ...{ id: "12D3KooWA4Xop1JaT3MHxwYMkCepYsv4iPVopMXwCz5iHYdBfeSB", from: "203.0.113.7" },
  ...{ near: "world", world: `"/ip4/203.0.113.7/tcp/4001"`, network: "", machine: "" },
  ...{ seeds: true, met: 0, seen: 0 },
};

/** Answers from a store that says nothing but that, and is counted. */
function counted() {
  const clock = { now: 1_800_000_000_000 };
  let asked: string[] = [];
  const providers: TrackerStore["providers"] = (key) => {
    asked.push(key);
    return Promise.resolve([PEER]);
  };
  const answers = createAnswers({ providers } as TrackerStore, () => clock.now);
  return {
    clock,
    ask: (key: string, ip = "198.51.100.1") => answers.providers(key, askerAt(ip)),
    /** Keys that were looked up since the last time that this was asked. */
    looked() {
      const those = asked;
      asked = [];
      return those;
    },
  };
}

suite("tracker: answers", (test) => {
  test("what many ask for is looked up twice a second, what few ask for each time", async () => {
    const t = counted();
    const several = async () => {
      for (let i = 0; i < 50; i++) {
        for (const key of ["many", "others"]) await t.ask(key, `198.51.100.${i}`);
      }
      return t.looked().length;
    };
    await t.ask("few");
    await t.ask("few");
    assert.equal(t.looked(), ["few", "few"]);
    assert.is(await several(), 8, "until it is known that there are many");
    t.clock.now += 499;
    assert.is(await several(), 0);
    t.clock.now += 1;
    assert.is(await several(), 2, "as of now, and many are expected");
    // Nobody came meanwhile: it is not what many ask for any more.
    for (let i = 0; i < 2; i++) {
      t.clock.now += 500;
      await t.ask("few");
    }
    t.looked();
    assert.is(await several(), 8);
  });

  test("of those that ask at one moment the first one's look-up is the others', too", async () => {
    const t = counted();
    const told = await Promise.all(Array.from({ length: 3 }, () => t.ask("key")));
    assert.equal(t.looked(), ["key"]);
    assert.equal(new Set(told.map(({ records }) => records)).size, 1);
    assert.match(told[0]!.records, /203\.0\.113\.7/);
  });

  test("of very many keys that are asked for no more than a thousand are kept", async () => {
    const t = counted();
    const all = async () => {
      for (let i = 0; i < 1_100; i++) await t.ask(`key ${i}`);
    };
    for (let i = 0; i < 4; i++) await all();
    t.looked();
    await all();
    assert.is(t.looked().length, 100);
  });
});
