/** A cap in bytes a second, on a clock that the test moves. */
import * as assert from "uvu/assert";
import { Bucket } from "../../src/swarm/bucket.ts";
import { suite } from "../helpers/suite.ts";

const RATE = 100_000;
const PIECE = 16_000;

/** Sends as much as it may until a time; whoever has to wait comes so much too late. @returns bytes */
function send(bucket: Bucket, from: number, until: number, late = 0): number {
  let sent = 0;
  for (let now = from; now < until;) {
    const wait = bucket.wait(now);
    if (wait > 0) now += wait + late;
    else {
      bucket.take(PIECE, now);
      sent += PIECE;
    }
  }
  return sent;
}

suite("bucket", (test) => {
  test("over ten seconds it lets through what it should, within 5 %", () => {
    const near = (sent: number, title: string) =>
      assert.ok(Math.abs(sent / (10 * RATE) - 1) <= 0.05, `${title}: ${sent / (10 * RATE)}`);
    near(send(new Bucket(RATE, 0), 0, 10_000), "from the start");
    const rested = new Bucket(RATE, 0);
    send(rested, 0, 1_000);
    near(send(rested, 60_000, 70_000), "after a rest");
    for (const late of [100, 290, 480, 800]) {
      const delayed = new Bucket(RATE, 0);
      send(delayed, 0, 1_000);
      delayed.take(PIECE, 1_000);
      const back = 1_000 + delayed.wait(1_000) + late;
      near(send(delayed, back, back + 10_000), `right after somebody was ${late} ms late`);
    }
    near(send(new Bucket(RATE, 0), 0, 10_000, 290), "by somebody who is always late");
  });

  test("after a rest little goes at once", () => {
    const bucket = new Bucket(RATE, 0);
    send(bucket, 0, 1_000);
    assert.ok(send(bucket, 60_000, 60_001) <= RATE / 10 + PIECE);
  });

  test("without a cap nobody waits", () => {
    const bucket = new Bucket(Infinity, 0);
    bucket.take(1e12, 0);
    assert.is(bucket.wait(0), 0);
  });
});
