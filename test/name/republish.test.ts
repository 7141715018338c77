/** A node that runs keeps its own records young. */
import * as assert from "uvu/assert";
import { createRepublisher } from "../../src/name/republish.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

suite("name/republish", (test) => {
  test("renews at once and then again and again, whatever happens, until it is stopped", async () => {
    const lines: string[] = [];
    let renewals = 0;
    const republisher = createRepublisher(() => {
      renewals++;
      return renewals === 2 ? Promise.reject(new Error("the disk is full")) : Promise.resolve();
    }, { interval: 5, log: (line) => lines.push(line) });
    assert.is(renewals, 1);
    await until("it has signed again", () => renewals > 3);
    assert.is(lines.length, 1);
    assert.match(lines[0]!, "the disk is full");
    await republisher.stop();
    const done = renewals;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.is(renewals, done);
  });

  test("stopping ends the wait, and waits for a signature that is being made", async () => {
    let signed = false;
    const lines: string[] = [];
    const republisher = createRepublisher(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      await new Promise((resolve) => setTimeout(resolve, 20));
      signed = true;
      throw signal.reason;
    }, { interval: 60_000, log: (line) => lines.push(line) });
    await republisher.stop();
    assert.ok(signed);
    assert.equal(lines, [], "it is no failure");
  });
});
