/** What a tracker hears from a node, over HTTP. */
import { setTimeout as sleep } from "node:timers/promises";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { peerIdFromPrivateKey } from "@libp2p/peer-id";
import { createLibp2p } from "libp2p";
import * as assert from "uvu/assert";
import { createAnnouncer, type Held } from "../../src/routing/announcer.ts";
import { parseTracker, Tracker } from "../../src/routing/tracker.ts";
import { suite } from "../helpers/suite.ts";
import { createFakeTracker } from "../helpers/fake-tracker.ts";
import { until } from "../helpers/until.ts";

const key = await generateKeyPair("Ed25519");
const { logger } = await createLibp2p({ start: false });
const ROOT = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const SITE = "/ipns/docs.example.org";

/** An announcer at a tracker, and what it was told to hold. */
async function announcing({ held = { seeds: [], reads: [SITE] }, ...options }: {
  held?: Held;
  now?: () => number;
} = {}) {
  const fake = await createFakeTracker();
  const tracker = new Tracker(fake.url, { key, logger, ...options });
  const lines: string[] = [];
  const state = { held, addrs: ["/ip4/127.0.0.1/tcp/4001"], given: 7 };
  const start = () =>
    createAnnouncer(tracker, {
      held: () => state.held,
      addrs: () => state.addrs,
      given: () => state.given,
      log: (line) => lines.push(line),
    });
  return {
    fake,
    lines,
    state,
    start,
    async [Symbol.asyncDispose]() {
      await fake[Symbol.asyncDispose]();
      await tracker.stop();
    },
  };
}

suite("announcer", (test) => {
  test("a node announces what it holds, what changes, what is whole, and that it leaves", async () => {
    await using setting = await announcing();
    const { fake, state, start } = setting;
    const announcer = start();
    await until("the first announce", () => fake.announces.length === 1);
    const [first] = fake.announces;
    assert.is(first!.id, peerIdFromPrivateKey(key).toString());
    assert.equal(first!.reads.map(({ text }) => text), [SITE]);
    assert.equal(first!.addrs, state.addrs);
    assert.is(first!.given, 7);

    state.held = { seeds: [SITE], reads: [ROOT] };
    announcer.changed();
    announcer.changed(); // together they are one change
    await until("two more", () => fake.announces.length === 3);
    const [, whole, update] = fake.announces;
    assert.is(whole!.event, "completed");
    assert.equal(whole!.seeds.map(({ text }) => text), [SITE]);
    assert.is(update!.event, "updated");
    assert.equal(update!.reads.map(({ text }) => text), [ROOT]);
    await announcer.stop();
    assert.equal(fake.announces.slice(3).map(({ event }) => event), ["stopped"]);
  });

  test("what has not changed is renewed without a signature, and announced anew where it was forgotten", async () => {
    await using setting = await announcing();
    const { fake, start } = setting;
    fake.interval = 1;
    const announcer = start();
    await until("renewals", () => fake.renewals.length === 2);
    assert.is(fake.announces.length, 1);
    assert.is(fake.renewals[0]!.given, 7);
    fake.forget();
    await until("a new announce", () => fake.announces.length === 2);
    await announcer.stop();
  });

  test("a clock that is a day off is set right by the tracker's", async () => {
    await using setting = await announcing({ now: () => Date.now() - 24 * 3_600_000 });
    const { fake, lines, start } = setting;
    const announcer = start();
    await until("an announce", () => fake.announces.length === 1, 3_000);
    assert.ok(Math.abs(fake.announces[0]!.time - Date.now()) < 60_000);
    assert.equal(lines, [], "nobody need hear of it");
    await announcer.stop();
  });

  test("a tracker that is away is told of once, and tried again", async () => {
    await using setting = await announcing();
    const { fake, lines, start } = setting;
    fake.broken = { status: 503 };
    const announcer = start();
    await until("the note", () => lines.length === 1);
    assert.match(
      lines[0]!,
      /^The tracker http:\/\/127\.0\.0\.1:\d+ refused: status 503\. It is tried again/,
    );
    fake.broken = undefined;
    await until("it answers again", () => lines.length === 2, 5_000);
    assert.match(lines[1]!, /answers again/);
    assert.is(fake.announces.length, 1);
    await announcer.stop();
  });

  test("a tracker that has had enough is left alone for as long as it says", async () => {
    await using setting = await announcing();
    const { fake, lines, state, start } = setting;
    fake.broken = { status: 429, headers: { "Retry-After": "60" } };
    const announcer = start();
    await until("the note", () => lines.length === 1);
    fake.broken = undefined;
    await sleep(2_500); // a tracker that is away would be tried again by now
    assert.is(fake.announces.length, 0);
    state.held = { seeds: [], reads: [] };
    await announcer.stop();
    assert.is(fake.announces.length, 0, "nothing was announced: there is nothing to take back");
  });

  test("keys that a tracker does not take are told of once", async () => {
    await using setting = await announcing({ held: { seeds: ["no key"], reads: [SITE] } });
    const { lines, state, start, fake } = setting;
    const announcer = start();
    await until("the note", () => lines.length === 1);
    assert.match(lines[0]!, /does not take no key: /);
    state.addrs = ["/ip4/127.0.0.1/tcp/4002"];
    announcer.changed();
    await until("the new address", () => fake.announces.length === 2);
    await sleep(100); // the answer is on its way
    await announcer.stop();
    assert.is(lines.length, 1);
  });

  test("a tracker's address is an origin", () => {
    assert.is(parseTracker("https://Tracker.example.org"), "https://tracker.example.org");
    for (
      const text of ["tracker.example.org", "ftp://a.b", "https://a.b/x", "https://a.b/?x", ""]
    ) {
      assert.throws(() => parseTracker(text), /is not a tracker's address/, text);
    }
  });
});
