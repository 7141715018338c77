/** Who has what: what is more than words counts as a copy of the crowd. */
import * as assert from "uvu/assert";
import { Holdings } from "../../src/swarm/holdings.ts";
import { suite } from "../helpers/suite.ts";

suite("holdings", (test) => {
  test("what a stranger says to have can be asked of it, and makes no block less rare", () => {
    const holdings = new Holdings();
    holdings.join(1);
    assert.ok(holdings.add(1, 7));
    assert.ok(holdings.has(1, 7));
    assert.not(holdings.spread.has(7));
    assert.is(holdings.copies(7), 0);
    assert.not(holdings.add(1, 7), "it is no news that it has it");
  });

  test("what we gave to somebody may be with all who say so", () => {
    const holdings = new Holdings();
    for (const peer of [1, 2]) holdings.join(peer);
    holdings.join(3, true);
    for (const peer of [1, 3]) holdings.add(peer, 7);
    holdings.gave(7);
    holdings.add(2, 7);
    holdings.gave(7);
    assert.ok(holdings.spread.has(7));
    assert.is(holdings.copies(7), 2, "each counted once, and the seeder not at all");
    holdings.forget(7);
    holdings.add(1, 7);
    assert.is(holdings.copies(7), 0, "the number was given to another block");
  });

  test("who has given us something is believed, for as long as it gives", () => {
    const holdings = new Holdings();
    holdings.join(1);
    holdings.add(1, 7);
    holdings.believe(1, true);
    holdings.believe(1, true);
    holdings.add(1, 8);
    assert.equal([holdings.copies(7), holdings.copies(8)], [1, 1]);
    holdings.gave(7);
    assert.is(holdings.copies(7), 1);
    holdings.believe(1, false);
    assert.equal([holdings.copies(7), holdings.copies(8)], [1, 0]);
  });

  test("whoever leaves, loses or seeds takes away what was counted, and no more", () => {
    for (
      const end of [
        (holdings: Holdings) => holdings.leave(1),
        (holdings: Holdings) => holdings.setSeeder(1, true),
        (holdings: Holdings) => [7, 8].forEach((block) => holdings.delete(1, block)),
      ]
    ) {
      const holdings = new Holdings();
      for (const peer of [1, 2]) {
        holdings.join(peer);
        for (const block of [7, 8]) holdings.add(peer, block);
      }
      holdings.believe(2, true);
      holdings.gave(8);
      assert.equal([holdings.copies(7), holdings.copies(8)], [1, 2]);
      end(holdings);
      assert.equal([holdings.copies(7), holdings.copies(8)], [1, 1]);
    }
  });

  test("a seeder that becomes a reader is counted like one", () => {
    const holdings = new Holdings();
    holdings.join(1, true);
    holdings.add(1, 7);
    holdings.believe(1, true);
    assert.is(holdings.copies(7), 0);
    holdings.setSeeder(1, false);
    assert.is(holdings.copies(7), 1);
  });
});
