/** A site that is published from two machines with one key. */
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parseKey } from "../src/content/address.ts";
import { readRecord } from "../src/name/record.ts";
import type { Node, NodeOptions } from "../src/node.ts";
import { createCountedLine } from "./helpers/counted-line.ts";
import { createFakeTracker } from "./helpers/fake-tracker.ts";
import { createFolder } from "./helpers/folder.ts";
import { createLoopbackNode, type LoopbackNode, untilPeers } from "./helpers/loopback-node.ts";
import { suite } from "./helpers/suite.ts";
import { until } from "./helpers/until.ts";
import { LABEL, log, numbers, publish, recordOf } from "./helpers/versions.ts";

/** A second machine with the same key, that has met nobody. */
async function createTwin(node: Node, options: NodeOptions = {}): Promise<LoopbackNode> {
  const twin = await createLoopbackNode(options);
  await twin.helia.keychain.importKey(LABEL, await node.helia.keychain.exportKey(LABEL));
  return twin;
}

suite("seeder, twins", (test) => {
  test("two machines with one key that do not know of each other: a fork, told and shown; the next goes above both", async () => {
    await using node = await createLoopbackNode();
    const one = await publish(node, { "a.txt": "1" });
    await using twin = await createTwin(node);
    await twin.meet(node);
    await recordOf(twin, one);
    for (const peer of twin.helia.libp2p.getPeers()) await twin.helia.libp2p.hangUp(peer);

    const [left, right] = [
      await publish(node, { "a.txt": "left" }),
      await publish(twin, { "a.txt": "right" }),
    ];
    assert.equal([left.version.number, right.version.number, right.key], [2, 2, left.key]);
    assert.not.equal(left.version.cid, right.version.cid);

    await twin.meet(node);
    await untilPeers(node, 1);
    await Promise.all([recordOf(node, one), recordOf(twin, one)]);
    for (const { told } of [node, twin]) {
      assert.is(told.filter((line) => line.includes("two versions 2")).length, 1, told.join("\n"));
    }
    // each shows both, and both agree on which counts
    for (const machine of [node, twin]) {
      const versions = await log(machine);
      assert.equal(numbers(versions), [2, 2, 1]);
      assert.equal(versions.map(({ fork, beside }) => [fork, beside]), [
        [true, false],
        [true, true],
        [false, false],
      ]);
      assert.equal(versions[0]!.cid, right.version.cid, "the one that was signed last");
      assert.equal(versions[1]!.version!.root, left.cid);
    }

    const next = await publish(node, { "a.txt": "both" });
    assert.is(next.version.number, 3);
    const [newest] = await log(twin);
    assert.equal([newest!.number, newest!.version!.previous], [3, right.version.cid]);
    assert.equal(numbers(await log(twin)), [3, 2, 2, 1]);
  });

  test("a machine that comes with its key hears first of what is out, and goes above that", async () => {
    await using node = await createLoopbackNode();
    const one = await publish(node, { "a.txt": "1" });
    await using twin = await createTwin(node);
    await twin.meet(node);
    const two = await publish(twin, { "a.txt": "2" });
    assert.equal([two.version.number, two.changes], [2, { added: 0, changed: 1, removed: 0 }]);
    assert.equal((await log(twin))[0]!.version!.previous, one.version.cid);
    assert.is((await publish(node, { "a.txt": "3" })).version.number, 3);
    assert.equal([node.told, twin.told], [[], []]);
  });

  test("a machine that comes back with a change waits for whom it is about to reach", async () => {
    await using homes = await createFolder();
    const [here, there] = [join(homes.path, "here"), join(homes.path, "there")];
    {
      await using node = await createLoopbackNode({ dir: here });
      const one = await publish(node, { "a.txt": "1" });
      await using twin = await createTwin(node, { dir: there });
      await twin.meet(node);
      await recordOf(twin, one);
    }
    // Where it is now only a named peer's address tells.
    await using node = await createLoopbackNode({ dir: here });
    const two = await publish(node, { "a.txt": "2" });
    await using way = await createCountedLine(node.address, { delay: 250 });
    await using twin = await createLoopbackNode({ dir: there, peers: [way.address] });
    assert.equal(twin.peers, []);
    const three = await publish(twin, { "a.txt": "3" });
    assert.is(three.version.number, 3);
    assert.equal((await log(twin))[0]!.version!.previous, two.version.cid);
  });

  test("where only a tracker knows of another machine's version, it is asked before each", async () => {
    await using tracker = await createFakeTracker();
    const trackers = [tracker.url];
    await using node = await createLoopbackNode({ trackers });
    const one = await publish(node, { "a.txt": "1" });
    await using twin = await createTwin(node, { trackers });
    const path = `/routing/v1/ipns/${parseKey(one.key)}`;
    const known = (number: number) =>
      until(`version ${number} is known`, () => {
        const bytes = tracker.answers.get(path);
        return bytes instanceof Uint8Array && readRecord(bytes).number === number;
      });
    await known(1);
    for (const [number, machine] of [[2, twin], [3, node], [4, twin], [5, node]] as const) {
      assert.is((await publish(machine, { "a.txt": `${number}` })).version.number, number);
      await known(number);
    }
    assert.equal([node.peers, twin.peers], [[], []]);
    assert.equal([node.told, twin.told], [[], []]);
  });

  test("a tracker that hangs is waited for once; as soon as it answers again, before each version", async () => {
    await using tracker = await createFakeTracker();
    await using node = await createLoopbackNode({ trackers: [tracker.url] });
    const one = await publish(node, { "a.txt": "1" });
    const path = `/routing/v1/ipns/${parseKey(one.key)}`;
    const asked = () => tracker.asked.filter((asked) => asked === path).length;
    await until("it has version 1", () => tracker.answers.has(path));
    tracker.silent = true;
    await publish(node, { "a.txt": "2" });
    await until("nobody waits for it", () => tracker.waiting === 0);
    const before = asked();
    await publish(node, { "a.txt": "3" });
    assert.equal([asked(), tracker.waiting], [before + 1, 1], "it is asked, and still out");

    tracker.silent = false;
    await until("it was given up", () => tracker.waiting === 0);
    await publish(node, { "a.txt": "4" });
    await until("it has answered", () => asked() === before + 2 && tracker.waiting === 0);
    await until("it has version 4", () => {
      const bytes = tracker.answers.get(path);
      return bytes instanceof Uint8Array && readRecord(bytes).number === 4;
    });
    tracker.silent = true;
    await publish(node, { "a.txt": "5" });
    // In the background it would be asked for five seconds.
    await until("it was waited for, and no longer", () => tracker.waiting === 0, 2_000);
  });
});
