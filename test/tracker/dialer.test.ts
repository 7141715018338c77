/** Peers are dialled back: a real node that is there, one that is gone, and one that is somebody else. */
import * as assert from "uvu/assert";
import { createDialer } from "../../src/tracker/dialer.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { createAnnouncer } from "../helpers/tracker.ts";

suite("tracker: dialer", (test) => {
  test("a peer is there if it proves its ID; and the tracker does not stay on the line", async () => {
    await using dial = createDialer((await createAnnouncer()).key);
    const { id: other } = await createAnnouncer();
    const node = await createLoopbackNode();
    const [place] = node.address.split("/p2p/");
    try {
      assert.ok(await dial(node.address));
      assert.ok(await dial(node.address), "and again");
      assert.not(await dial(`/ip4/127.0.0.1/tcp/1/p2p/${node.id}`), "it was met elsewhere");
      assert.not(await dial(`${place}/p2p/${other}`), "somebody else is there");
      for (let i = 0; node.peers.length > 0 && i < 50; i++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.equal(node.peers, []);
    } finally {
      await node.stop();
    }
    assert.not(await dial(`${place}/p2p/${node.id}`), "it is gone");
    assert.not(await dial(`/dns4/nowhere.invalid/tcp/1/p2p/${other}`));
  });
});
