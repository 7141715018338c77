/** What makes the pump look for something to send, and when it does. */
import { setImmediate as turn } from "node:timers/promises";
import * as assert from "uvu/assert";
import { Bucket } from "../../src/swarm/bucket.ts";
import { Holdings } from "../../src/swarm/holdings.ts";
import { Pump } from "../../src/swarm/pump.ts";
import { type Upload, Uploads } from "../../src/swarm/uploads.ts";
import { suite } from "../helpers/suite.ts";

suite("pump", (test) => {
  test("what is asked for in the turn in which nothing was found is sent in that turn", async () => {
    const { uploads, pump, sent } = start();
    pump.run(); // as for an acknowledgement, which comes in one packet with the next request
    uploads.request(1, 7, 0, performance.now());
    pump.run();
    await turn();
    assert.equal(sent, [{ peer: 1, block: 7 }]);
  });

  test("what is asked for while a block is read is sent after it, and each once", async () => {
    const { uploads, pump, sent } = start();
    for (const block of [7, 8]) {
      uploads.request(1, block, 0, performance.now());
      pump.run();
    }
    await turn();
    assert.equal(sent.map(({ block }) => block).sort(), [7, 8]);
  });
});

/** A pump without a cap, for one peer that asks. */
function start() {
  const holdings = new Holdings();
  const uploads = new Uploads(holdings, Math.random);
  holdings.join(1);
  uploads.join(1);
  const sent: Upload[] = [];
  const pump = new Pump(uploads, new Bucket(Infinity, performance.now()), async (upload) => {
    sent.push(upload);
    uploads.sent(upload.peer, upload.block, 1_000, performance.now());
    return await Promise.resolve(1_000);
  });
  return { uploads, pump, sent };
}
