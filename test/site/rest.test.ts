/** When a changing folder is at rest: every second of it, without a clock or a disk. */
import * as assert from "uvu/assert";
import { createRest, type Rest } from "../../src/site/rest.ts";
import { suite } from "../helpers/suite.ts";

const QUIET = 1_000, RETRY = 5_000, GLANCE = 10_000;

/** What is done in a folder, by its time in milliseconds, up to an end. */
interface Story {
  /** Each writes; the folder is another after it. */
  writes: number[];
  /** Whether the system tells of writes. */
  heard?: boolean;
  /** Whether the disk's times are of use. */
  dated?: boolean;
  /** How long hashing takes. */
  hashing?: number;
  until: number;
}

/** Runs a story; when something was published, and what it was (how many writes). */
function run(
  { writes, heard = true, dated = true, hashing = 0, until }: Story,
): [number, number][] {
  const rest: Rest = createRest({ quiet: QUIET, retry: RETRY });
  const published: [number, number][] = [];
  const done = (now: number) => writes.filter((at) => at <= now);
  const hear = (from: number, to: number) => {
    if (heard) { for (const at of writes) if (at > from && at <= to) rest.changed(at); }
  };
  let now = 0;
  for (let steps = 0; now < until; steps++) {
    assert.ok(steps < 10_000, `it does not come to an end at ${now}`);
    const step = rest.next(now);
    if (step.do === "look") {
      const last = done(now).at(-1) ?? -60_000;
      const age = dated ? now - last : -1;
      rest.looked({ state: `${done(now).length}`, age }, GLANCE, now);
    } else if (step.do === "publish") {
      const [before, began] = [done(now).length, now];
      now += hashing;
      hear(began, now);
      if (done(now).length > before) rest.failed(true, now);
      else {
        rest.published(`${before}`, false, now);
        published.push([now, before]);
      }
    } else {
      assert.ok(step.until > now, "it waits for what is over");
      const next = writes.find((at) => heard && at > now && at < step.until);
      const began = now;
      now = next ?? step.until;
      hear(began, now);
    }
  }
  return published;
}

/** Times from one to another, this far apart. */
const times = (from: number, to: number, apart: number) =>
  Array.from({ length: Math.floor((to - from) / apart) + 1 }, (_, i) => from + i * apart);

suite("site/rest", (test) => {
  test("a folder at rest is published at once, and once", () => {
    assert.equal(run({ writes: [], until: 120_000 }), [[0, 0]]);
  });

  test("a change is published when nothing has changed for the time of quiet", () => {
    assert.equal(run({ writes: [20_300], until: 60_000 }), [[0, 0], [20_300 + QUIET, 1]]);
    const burst = times(20_300, 24_300, 400);
    const last = burst.at(-1)!;
    assert.equal(run({ writes: burst, until: 60_000 }), [[0, 0], [last + QUIET, burst.length]]);
  });

  test("a folder that is being written when it is published first is waited for", () => {
    const writes = times(-500, 3_000, 500);
    for (const heard of [true, false]) {
      for (const dated of [true, false]) {
        const published = run({ writes, heard, dated, until: 9_000 });
        assert.equal(published.map(([, what]) => what), [writes.length], `${heard} ${dated}`);
        assert.ok(published[0]![0] >= 3_000 + QUIET);
      }
    }
  });

  test("what nobody tells of is found by looking, and waited for likewise", () => {
    const writes = times(13_000, 34_000, 700);
    for (const dated of [true, false]) {
      const published = run({ writes, heard: false, dated, until: 80_000 });
      assert.equal(published.map(([, what]) => what), [0, writes.length], `dated: ${dated}`);
      assert.ok(published[1]![0] >= 34_000 + QUIET);
      assert.ok(published[1]![0] <= 34_000 + 2 * QUIET + GLANCE);
    }
  });

  test("what changes while it is hashed is never out, and its rest is waited for", () => {
    for (const heard of [true, false]) {
      // It is quiet long enough, and then somebody writes during the hashing.
      const writes = [20_000, 21_500, 24_000];
      const published = run({ writes, heard, hashing: 2_000, until: 60_000 });
      assert.equal(published.map(([, what]) => what), [0, 3], `heard: ${heard}`);
    }
  });

  test("a change that was heard while another was published is published, too", () => {
    const published = run({ writes: [10_500, 12_400], hashing: 900, until: 40_000 });
    assert.equal(published.map(([, what]) => what).at(-1), 2);
    assert.ok(published.at(-1)![0] < 15_000, "not only by the next glance");
  });

  test("trouble is tried again after a while, and at once when something changes", () => {
    const rest = createRest({ quiet: QUIET, retry: RETRY });
    rest.looked({ trouble: "gone" }, GLANCE, 0);
    assert.equal(rest.next(0), { do: "wait", until: RETRY });
    rest.changed(100);
    assert.equal(rest.next(100), { do: "wait", until: 100 + QUIET });
    rest.looked({ state: "1", age: 60_000 }, GLANCE, 2_000);
    assert.equal(rest.next(2_000), { do: "publish" });
    rest.failed(false, 2_500); // a full disk
    assert.equal(rest.next(2_500), { do: "wait", until: 2_500 + RETRY });
    rest.looked({ state: "1", age: 65_000 }, GLANCE, 7_500);
    assert.equal(rest.next(7_500), { do: "publish" });
  });

  test("a change and its undoing are nothing to publish", () => {
    const rest = createRest({ quiet: QUIET, retry: RETRY });
    rest.looked({ state: "1", age: 60_000 }, GLANCE, 0);
    rest.published("1", false, 0);
    rest.changed(5_000);
    assert.is(rest.waiting(5_500), 500);
    rest.looked({ state: "1", age: 1_000 }, GLANCE, 6_000);
    assert.equal(rest.next(6_000), { do: "wait", until: 6_000 + GLANCE });
    assert.is(rest.waiting(6_000), 0);
  });

  test("what looks the same is published again if something was heard and it was too new to tell", () => {
    for (const racy of [true, false]) {
      const rest = createRest({ quiet: QUIET, retry: RETRY });
      rest.looked({ state: "1", age: 1_200 }, GLANCE, 0);
      rest.published("1", racy, 100);
      rest.looked({ state: "1", age: 1_300 }, GLANCE, 100);
      assert.is(rest.next(100).do, "wait", "nothing was heard");
      rest.changed(200);
      rest.looked({ state: "1", age: 1_000 }, GLANCE, 1_200);
      assert.is(rest.next(1_200).do, racy ? "publish" : "wait");
      if (!racy) continue;
      rest.published("1", racy, 1_300);
      rest.looked({ state: "1", age: 1_100 }, GLANCE, 1_300);
      assert.is(rest.next(1_300).do, "wait", "once is enough");
    }
  });

  test("how long a folder that never rests has been changing is known", () => {
    const rest = createRest({ quiet: QUIET, retry: RETRY });
    rest.looked({ state: "1", age: 60_000 }, GLANCE, 0);
    rest.published("1", false, 0);
    for (let now = 1_000; now <= 61_000; now += 500) {
      rest.changed(now);
      assert.is(rest.next(now).do, "wait");
    }
    assert.is(rest.waiting(61_000), 60_000);
  });
});
