/** Which block to ask of whom, rule by rule. */
import * as assert from "uvu/assert";
import { QUEUE, STRANGER_QUEUE } from "../../src/swarm/queues.ts";
import { LATE_MS, SLOW_MS } from "../../src/swarm/takeover.ts";
import { URGENT_IN_CROWD } from "../../src/swarm/urgency.ts";
import { asked, range, Reader } from "../helpers/scheduling.ts";
import { suite } from "../helpers/suite.ts";

const SEEDER = 1, A = 2, B = 3, C = 4;

suite("scheduler, urgent first", (test) => {
  test("alone with a seeder all that is waited for is asked for first, at the highest level", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: range(0, 20) });
    reader.want(range(0, 20), [7, 3, 12]);
    const decisions = reader.decide();
    assert.equal(decisions.slice(0, 3), ["ask 1 7 2", "ask 1 3 2", "ask 1 12 2"]);
    assert.equal(asked(decisions, SEEDER).toSorted((a, b) => a - b), range(0, 20), "and all else");
    assert.ok(decisions.slice(3).every((line) => line.endsWith(" 0")));
  });

  test("in a crowd only the next blocks are urgent, and less so; the others follow as they come", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 6) });
    reader.want(range(0, 6), [0, 1, 2, 3]);
    const levels = () => reader.decide().filter((line) => !line.endsWith(" 0"));
    assert.equal(levels(), ["ask 2 0 1", "ask 2 1 1"]);
    assert.is(URGENT_IN_CROWD, 2);
    reader.scheduler.settle(0);
    assert.equal(levels(), ["ask 2 2 1"], "asked before, and now with more weight");
  });

  test("when the last fellow goes, what is waited for has only us", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: [0, 1, 2] });
    reader.meet(A);
    reader.want([0, 1, 2], [0, 1, 2]);
    assert.equal(reader.decide(), ["ask 1 0 1", "ask 1 1 1", "ask 1 2 0"]);
    reader.part(A);
    assert.equal(reader.decide(), ["ask 1 0 2", "ask 1 1 2", "ask 1 2 2"]);
  });

  test("when the first fellow comes, what is waited for has not only us any more", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: range(0, 5) });
    reader.want(range(0, 5), [0, 1, 2, 3]);
    reader.decide();
    reader.hear(SEEDER, 0);
    reader.meet(A);
    assert.equal(reader.decide(), ["ask 1 1 1", "ask 1 2 1", "ask 1 3 1"], "0 is on its way");
    reader.meet(B);
    assert.equal(reader.decide(), [], "a second one changes nothing");
  });

  test("what a stalled peer did not send is asked at the highest level, in a crowd too", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.meet(B);
    reader.want([0], [0]);
    assert.equal(reader.decide(), ["ask 2 0 1"]);
    reader.hear(A, 0);
    reader.pass(2_000);
    assert.ok(reader.scheduler.isStalled(A));
    reader.offer(B, 0);
    assert.equal(reader.decide(), ["ask 3 0 2"]);
  });

  test("what nobody waits for any more is not urgent", () => {
    const reader = new Reader();
    reader.want([0, 1], [0, 1]);
    reader.scheduler.want(0, false);
    reader.meet(SEEDER, { seeder: true, has: [0, 1] });
    assert.equal(reader.decide(), ["ask 1 1 2", "ask 1 0 0"]);
  });
});

suite("scheduler, whom to ask", (test) => {
  test("the crowd goes before the seeder", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: [0, 1] });
    reader.meet(A, { has: [0] });
    reader.want([0, 1]);
    assert.equal(reader.decide().toSorted(), ["ask 1 1 0", "ask 2 0 0"]);
  });

  test("what is only queued at a seeder is taken over by a peer that gets it; what has begun is not", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: [0, 1] });
    reader.meet(A);
    reader.want([0, 1]);
    reader.decide();
    reader.hear(SEEDER, 0);
    reader.offer(A, 0);
    reader.offer(A, 1);
    assert.equal(reader.decide(), ["cancel 1 1", "ask 2 1 0"]);
  });

  test("the rarest block is asked for first, and of a peer no more than it can choose from", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 40) });
    reader.meet(B, { has: range(0, 35), fellow: true });
    reader.scheduler.leave(B); // no more than a count: it is not asked
    reader.want(range(0, 40));
    const blocks = asked(reader.decide(), A);
    assert.is(blocks.length, QUEUE);
    assert.equal(blocks.slice(0, 5).toSorted((a, b) => a - b), range(35, 40));
  });

  test("what a stranger says to have is as rare as before", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 40) });
    reader.meet(B, { has: range(0, 35) });
    reader.meet(C, { has: range(35, 40), stranger: true });
    for (const peer of [B, C]) reader.scheduler.leave(peer); // they only count
    reader.want(range(0, 40));
    const blocks = asked(reader.decide(), A);
    assert.equal(blocks.slice(0, 5).toSorted((a, b) => a - b), range(35, 40));
  });

  test("a stranger is asked for little, until it has given something; and again when it gives no more", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 40), stranger: true });
    reader.want(range(0, 40));
    const [first, ...rest] = asked(reader.decide(), A);
    assert.is(rest.length, STRANGER_QUEUE - 1);
    reader.hear(A, first!);
    assert.equal(reader.pass(250), [], "bytes are no block yet");
    reader.holdings.believe(A, true);
    reader.scheduler.settle(first!);
    assert.is(asked(reader.decide(), A).length, QUEUE - rest.length);
    while (!reader.scheduler.isStalled(A)) reader.pass(250);
    let again: number[] = [];
    while (again.length === 0) again = asked(reader.pass(250), A);
    assert.is(again.length, STRANGER_QUEUE);
  });

  test("who only says that it is a seeder does not get the share of one", () => {
    const reader = new Reader();
    reader.meet(A, { seeder: true, has: range(0, 100), stranger: true });
    reader.want(range(0, 50));
    assert.is(asked(reader.decide(), A).length, 50, "unless there is nobody else");
    reader.meet(B, { seeder: true, has: range(0, 100), stranger: true });
    reader.meet(SEEDER, { seeder: true, has: range(0, 100) });
    reader.want(range(50, 100));
    const decisions = reader.decide();
    assert.is(asked(decisions, B).length, STRANGER_QUEUE);
    assert.is(asked(decisions, SEEDER).length, 50 - STRANGER_QUEUE);
    assert.equal(asked(decisions, A), []);
  });

  test("among equally rare ones chance decides: two readers choose differently, one seed the same", () => {
    const choice = (seed: number) => {
      const reader = new Reader(seed);
      reader.meet(A, { has: range(0, 500) });
      reader.want(range(0, 500));
      return asked(reader.decide(), A).join();
    };
    assert.is(new Set(range(1, 11).map(choice)).size, 10);
    assert.is(choice(1), choice(1));
  });

  test("seeders are asked for everything, each for its share", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: range(0, 100) });
    reader.meet(A, { seeder: true, has: range(0, 100) });
    reader.want(range(0, 100));
    const decisions = reader.decide();
    assert.is(asked(decisions, SEEDER).length, 50);
    assert.is(asked(decisions, A).length, 50);
    assert.is(new Set(decisions.map((line) => line.split(" ")[2])).size, 100);
  });

  test("nobody is asked for what it does not have, nor anybody for what nobody wants", () => {
    const reader = new Reader();
    reader.meet(A, { has: [1, 2] });
    reader.want([0, 1]);
    assert.equal(reader.decide(), ["ask 2 1 0"]);
  });
});

suite("scheduler, nobody idle", (test) => {
  test("who has nothing left takes over half of the longest queue, its end", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 6) });
    reader.want(range(0, 6));
    const queue = asked(reader.decide(), A);
    reader.meet(B, { has: range(0, 6) });
    const decisions = reader.pass(250);
    assert.equal(asked(decisions, B), queue.slice(3));
    assert.equal(decisions.filter((line) => line.startsWith("cancel 2")).length, 3);
  });

  test("a single block is left where it is, until it is late", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.want([0]);
    reader.decide();
    reader.meet(B, { has: [0] });
    assert.equal(reader.pass(4_500), [], "no block has come yet: it may be a large one");
    assert.equal(reader.pass(1_000), ["cancel 2 0", "ask 3 0 0"]);
  });

  test("late is what takes longer than many blocks do, and a second at least", () => {
    for (const [took, late] of [[10, LATE_MS], [300, 3_000]] as const) {
      const reader = new Reader();
      reader.meet(C, { has: range(100, 200) });
      for (const block of range(100, 200)) {
        reader.want([block]);
        reader.decide();
        reader.hear(C, block);
        reader.now += took;
        reader.hear(C, block);
        reader.scheduler.settle(block);
      }
      reader.pass(250);
      reader.meet(A, { has: [0] });
      reader.want([0]);
      reader.decide();
      reader.meet(B, { has: [0] });
      assert.equal(reader.pass(late - 250), [], `${took} ms`);
      assert.equal(reader.pass(500), ["cancel 2 0", "ask 3 0 0"]);
    }
  });

  test("what is slow to come is asked of a second peer, and never of a third", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.want([0]);
    reader.decide();
    reader.hear(A, 0);
    for (const peer of [B, C]) reader.meet(peer, { has: [0] });
    assert.equal(reader.pass(SLOW_MS - 250, [[A, 0]]), [], "not before");
    const decisions = reader.pass(3 * SLOW_MS, [[A, 0], [B, 0], [C, 0]]);
    assert.equal(decisions.map((line) => line.slice(0, 3)), ["ask"], "one more, and no cancel");
    const told = reader.scheduler.settle(0).map((decision) =>
      "cancel" in decision && decision.cancel
    );
    assert.is(told.length, 2, "both are told once it is here");
  });
});
