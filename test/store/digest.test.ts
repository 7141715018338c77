/** The same hash, whoever computes it. */
import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { sha256Of } from "../../src/store/digest.ts";
import { createRandom } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";

suite("digest", (test) => {
  test("small and large, and a part of something larger", async () => {
    const all = createRandom(3).bytes(1024 * 1024);
    for (const [start, end] of [[0, 0], [5, 6], [0, 65_536], [7, 300_000], [0, all.length]]) {
      const bytes = all.subarray(start, end);
      const expected = createHash("sha256").update(bytes).digest();
      assert.equal(await sha256Of(bytes), new Uint8Array(expected), `${start} to ${end}`);
    }
  });

  test("while something large is hashed, others have their turn", async () => {
    let hashed = false;
    const hashing = sha256Of(new Uint8Array(64 * 1024 * 1024)).then(() => hashed = true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.not(hashed);
    await hashing;
  });
});
