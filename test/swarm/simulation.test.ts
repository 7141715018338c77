/** Crowds that are computed: the same code that a node runs, over lines that are modelled. */
import * as assert from "uvu/assert";
import { simulate, simulateInThreads, type World } from "../bench/crowd/simulation.ts";
import { suite } from "../helpers/suite.ts";

/** A file of 8 MiB, read in order by people with ordinary lines. */
const FILE: World = {
  readers: 8,
  blocks: 128,
  blockBytes: 65_536,
  up: 5e6,
  down: 25e6,
  delayMs: 10,
  seed: 1,
};

suite("simulation", (test) => {
  test("the same seed gives the same crowd, another one another", () => {
    const world = { ...FILE, readers: 20, churn: 1 };
    assert.equal(simulate(world), simulate(world));
    assert.not.equal(simulate(world).busy, simulate({ ...world, seed: 2 }).busy);
  });

  test("two or three threads come to the same, to the last digit", async () => {
    const world = { ...FILE, readers: 40, blocks: 64, churn: 2, seederLeaves: 1.2 };
    const outcome = simulate(world);
    for (const threads of [2, 3]) assert.equal(await simulateInThreads(world, threads), outcome);
  });

  test("eight readers are served in hardly more time than the seeder needs for one copy", () => {
    for (const seed of [1, 2, 3]) {
      const { ratio, seederCopies, readerCopies } = simulate({ ...FILE, seed });
      assert.ok(ratio <= 1.2, `${ratio} times`);
      assert.ok(seederCopies <= 1.2, `${seederCopies} copies`);
      assert.ok(readerCopies <= 1.15, `${readerCopies} copies`);
    }
  });

  test("two hundred readers, of whom nobody knows all, take little longer", () => {
    const { ratio, seederCopies, readerCopies } = simulate({ ...FILE, readers: 200, churn: 0.01 });
    assert.ok(ratio <= 1.4, `${ratio} times`);
    assert.ok(seederCopies <= 1.5, `${seederCopies} copies`);
    assert.ok(readerCopies <= 1.15, `${readerCopies} copies`);
  });

  test("large blocks are no obstacle: a crowd that has as many of them takes as long", () => {
    const { ratio } = simulate({ ...FILE, readers: 100, blockBytes: 262_144 });
    assert.ok(ratio <= 1.5, `${ratio} times`);
  });

  test("half of the crowd leaves in a minute: those who stay hardly notice", () => {
    const { ratio } = simulate({ ...FILE, readers: 50, churn: 0.5 });
    assert.ok(ratio <= 1.6, `${ratio} times`);
  });

  test("the seeder may go once a copy is out", () => {
    const { ratio, seederCopies } = simulate({ ...FILE, readers: 50, seederLeaves: 1.1 });
    assert.ok(ratio <= 1.5, `${ratio} times`);
    assert.ok(seederCopies < 1.15, `${seederCopies} copies`);
  });
});
