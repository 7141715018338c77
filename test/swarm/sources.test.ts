/** Blocks from the swarm, and from those who speak bitswap only: who is asked when, and what becomes of promises. */
import * as assert from "uvu/assert";
import { addBytes } from "../../src/content/write.ts";
import { readText, utf8 } from "../helpers/bytes.ts";
import { failure } from "../helpers/failure.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { createPromiser } from "../helpers/promiser.ts";
import { createStockHelia } from "../helpers/stock-helia.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

suite("sources", (test) => {
  test("what a peer offers and hardly sends comes from one that speaks bitswap only", async () => {
    await Promise.all([false, true].map(async (drips) => {
      await using promiser = await createPromiser({ drips });
      await using helia = await createStockHelia();
      await using reader = await createLoopbackNode();
      const cid = await addBytes(helia.blockstore, [utf8("a page")]);
      await reader.meet(promiser);
      await reader.meet({ addresses: helia.libp2p.getMultiaddrs().map(String) });
      assert.is(await readText(reader, `/ipfs/${cid}`), "a page");
      assert.ok(promiser.asked > 0, "nobody believed the promise");
    }));
  });

  test("where nobody else has it, the reader is told that somebody does not keep their word", async () => {
    await using promiser = await createPromiser();
    await using other = await createStockHelia();
    await using reader = await createLoopbackNode({ timeout: 1_000 });
    const cid = await addBytes({ put: (cid) => cid }, [utf8("a page that nobody has")]);
    await reader.meet(promiser);
    await reader.meet({ addresses: other.libp2p.getMultiaddrs().map(String) });
    await until("the promiser is met", () => reader.peers.length === 2);
    const began = Date.now();
    const error = await failure(reader.open(`/ipfs/${cid}`));
    // Who was silent for four seconds and is asked anew is not believed anew.
    assert.ok(Date.now() - began < 10_000, `it waited ${Date.now() - began} ms`);
    assert.is(error.code, "NO_PROVIDERS");
    assert.match(error.message, "Somebody offered it, and does not send it.");
    assert.ok(promiser.asked > 0, "nobody believed the promise");
  });
}, 30_000);
