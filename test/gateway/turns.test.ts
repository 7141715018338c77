import * as assert from "uvu/assert";
import { createTurns } from "../../gateway/turns.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const client = (port: number) => ({ hostname: "127.0.0.1", port });

suite("large answers take turns", (test) => {
  /** Turns of which the first four are taken. */
  function busy(now?: () => number) {
    const turns = createTurns(now);
    for (let port = 1; port <= 4; port++) {
      const answer = new Response();
      assert.is(turns.take(client(port), answer), answer, "at once, while few are being read");
    }
    const left: number[] = [];
    const take = async (port: number) => {
      await turns.take(client(port), new Response());
      left.push(port);
    };
    return { turns, left, take };
  }
  const soon = () => new Promise<void>((resolve) => setTimeout(resolve, 10));

  test("the next one leaves when a client asks for more, and so has read its own", async () => {
    const { turns, left, take } = busy(() => 0);
    const all = [take(5), take(6)];
    await soon();
    assert.equal(left, [], "nothing was read, and no time has passed");
    turns.asked(client(9));
    await soon();
    assert.equal(left, [], "who asked was sent nothing");
    turns.asked(client(2));
    await soon();
    assert.equal(left, [5], "one for one, in the order in which they came");
    turns.asked(client(5));
    await soon();
    assert.equal(left, [5, 6]);
    await Promise.all(all);
  });

  test("clients that are slow, or gone, hold nobody up", async () => {
    const { left, take } = busy();
    for (const port of [5, 6, 7, 8, 9]) void take(port);
    await until("all five have left", () => left.length === 5, 2_000);
    assert.equal(left, [5, 6, 7, 8, 9]);
  });
});
