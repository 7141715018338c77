/** What the scheduler does about peers that are silent, go, or would not give. */
import * as assert from "uvu/assert";
import { REFUSED_MS } from "../../src/swarm/scheduler.ts";
import { asked, range, Reader } from "../helpers/scheduling.ts";
import { suite } from "../helpers/suite.ts";

const SEEDER = 1, A = 2, B = 3;

suite("scheduler, peers that fail", (test) => {
  test("a peer that stalls is left, what it was asked for is asked of others, and later it is asked anew", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0, 1] });
    reader.want([0, 1]);
    reader.decide();
    reader.hear(A, 0);
    reader.meet(B);
    reader.pass(2_000);
    assert.ok(reader.scheduler.isStalled(A));
    reader.offer(B, 0);
    assert.equal(reader.decide(), ["ask 3 0 0"]);
    reader.offer(A, 2);
    reader.want([2]);
    assert.equal(reader.decide(), [], "it is not asked for more");
    const decisions = reader.pass(3_000, [[B, 0]]);
    assert.not(reader.scheduler.isStalled(A));
    for (const line of ["cancel 2 0", "cancel 2 1", "ask 2 1 0", "ask 2 2 0"]) {
      assert.ok(decisions.includes(line), line);
    }
  });

  test("who stalls again is left for longer", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.want([0]);
    reader.decide();
    const asks: number[] = [];
    for (let at = 0; at < 300_000; at += 250) {
      if (asked(reader.pass(250), A).length > 0) asks.push(reader.now);
    }
    const waits = asks.slice(1).map((at, i) => at - asks[i]!);
    assert.ok(waits[2]! > waits[1]! && waits[1]! > waits[0]!, String(waits));
  });

  test("a peer that sends again is forgiven at once, and keeps what it was asked for", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0, 1] });
    reader.want([0, 1]);
    reader.decide();
    reader.hear(A, 0);
    reader.pass(2_000);
    reader.hear(A, 0);
    assert.not(reader.scheduler.isStalled(A));
    assert.equal(reader.decide(), []);
    reader.meet(SEEDER, { seeder: true, has: [0, 1] });
    assert.equal(reader.decide(), [], "nor is it asked of a seeder besides");
  });

  test("who has slept blames nobody", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.want([0]);
    reader.decide();
    reader.hear(A, 0);
    reader.now = 60_000;
    reader.scheduler.tick(reader.now);
    assert.not(reader.scheduler.isStalled(A));
    reader.pass(2_000);
    assert.ok(reader.scheduler.isStalled(A), "but afterwards it does");
  });

  test("a peer that is busy is not taken for one that stalls, a seeder for longer still", () => {
    const reader = new Reader();
    reader.meet(SEEDER, { seeder: true, has: [1] });
    reader.meet(A, { has: [0] });
    reader.want([0, 1]);
    reader.decide();
    reader.pass(20_000);
    assert.not(reader.scheduler.isStalled(A));
    reader.pass(6_000);
    assert.ok(reader.scheduler.isStalled(A));
    assert.not(reader.scheduler.isStalled(SEEDER));
    reader.pass(50_000);
    assert.ok(reader.scheduler.isStalled(SEEDER));
  });

  test("what a peer that goes was asked for is asked of others", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0, 1] });
    reader.want([0, 1]);
    reader.decide();
    reader.meet(B, { has: [0, 1] });
    reader.part(A);
    assert.equal(reader.decide().toSorted(), ["ask 3 0 0", "ask 3 1 0"]);
  });

  test("what a peer would not give is asked of another", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.want([0]);
    reader.decide();
    reader.meet(B, { has: [0] });
    reader.holdings.delete(A, 0);
    reader.scheduler.refused(A, 0);
    assert.equal(reader.decide(), ["ask 3 0 0"]);
  });

  test("even if it still says that it has it; and if nobody else does, of the same one after a while", () => {
    for (const seeder of [false, true]) {
      for (const awaited of [[], [0]]) {
        const reader = new Reader();
        const level = awaited.length > 0 ? 2 : 0;
        reader.meet(A, { has: [0], seeder, fellow: false });
        reader.want([0], awaited);
        assert.equal(reader.decide(), [`ask 2 0 ${level}`]);
        reader.scheduler.refused(A, 0);
        assert.equal(reader.pass(1_000), []);
        reader.scheduler.refused(A, 0); // it was not asked again: that is no refusal
        assert.equal(reader.pass(REFUSED_MS - 1_000), []);
        assert.equal(reader.pass(250), [`ask 2 0 ${level}`]);
        reader.scheduler.refused(A, 0);
        reader.meet(B, { has: [0], seeder, fellow: false });
        assert.equal(reader.decide(), [`ask 3 0 ${level}`]);
        reader.scheduler.refused(B, 0);
        assert.equal(reader.decide(), [], "both would not");
      }
    }
  });

  test("so it is if it has other things to send meanwhile", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0, 1] });
    reader.want([0, 1]);
    reader.decide();
    reader.scheduler.refused(A, 0);
    assert.equal(reader.pass(REFUSED_MS + 250, [[A, 1]]), ["ask 2 0 0"]);
  });

  test("what a peer would not give it is asked for at once when it says that it has it again", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.want([0]);
    reader.decide();
    reader.holdings.delete(A, 0);
    reader.scheduler.refused(A, 0);
    assert.equal(reader.decide(), []);
    reader.offer(A, 0);
    assert.equal(reader.decide(), ["ask 2 0 0"]);
  });

  test("also of what another is asked for meanwhile, if that would not give it either", () => {
    const reader = new Reader();
    reader.meet(A, { has: [0] });
    reader.meet(B, { has: [1] });
    reader.want([0]);
    reader.decide();
    reader.holdings.delete(A, 0);
    reader.scheduler.refused(A, 0);
    reader.offer(B, 0);
    assert.equal(reader.decide(), ["ask 3 0 0"]);
    reader.offer(A, 0);
    assert.equal(reader.decide(), []);
    reader.scheduler.refused(B, 0);
    assert.equal(reader.decide(), ["ask 2 0 0"]);
  });

  test("who has nothing to do does not take over what it would not give", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 6) });
    reader.want(range(0, 6));
    reader.decide();
    for (const block of range(0, 6)) reader.scheduler.refused(A, block);
    reader.meet(B, { has: range(0, 6) });
    assert.is(asked(reader.decide(), B).length, 6);
    assert.equal(reader.pass(REFUSED_MS), []);
    assert.is(asked(reader.pass(250), A).length, 3, "but a while later it takes its half");
  });

  test("what is here, or not wanted any more, is forgotten: who was asked is named, and asked for more", () => {
    const reader = new Reader();
    reader.meet(A, { has: range(0, 20) });
    reader.want(range(0, 20));
    const [block] = asked(reader.decide(), A);
    assert.equal(reader.scheduler.settle(block!), [{ cancel: A, block }]);
    assert.is(reader.scheduler.wanting, 19);
    assert.is(asked(reader.decide(), A).length, 1);
    for (const other of range(0, 20)) reader.scheduler.settle(other);
    assert.is(reader.scheduler.wanting, 0);
    assert.equal(reader.pass(1_000), []);
    assert.not(reader.scheduler.undecided);
  });
});
