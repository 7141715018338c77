/** Who has what: what is seen to come counts as a copy of the crowd, what is only said does not. */
import * as assert from "uvu/assert";
import { Holdings } from "../../src/swarm/holdings.ts";
import { suite } from "../helpers/suite.ts";

suite("holdings", (test) => {
  test("what a peer claims when it is met can be asked of it, and makes no block less rare", () => {
    const holdings = new Holdings();
    holdings.join(1);
    assert.ok(holdings.add(1, 7, true));
    assert.ok(holdings.has(1, 7));
    assert.is(holdings.copies(7), 0);
    assert.not(holdings.add(1, 7), "it is no news that it has it");
    assert.is(holdings.copies(7), 1, "but it was seen to come");
    assert.not(holdings.add(1, 7, true));
    assert.is(holdings.copies(7), 1, "and is counted once");
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
      holdings.join(1);
      holdings.join(2);
      for (const block of [7, 8]) holdings.add(2, block);
      holdings.add(1, 7, true);
      holdings.add(1, 8);
      end(holdings);
      assert.equal([holdings.copies(7), holdings.copies(8)], [1, 1]);
    }
  });
});
