/** Streams that break, that come twice, from the wrong side, or from those who are not spoken to. */
import * as assert from "uvu/assert";
import { createFileBlocks, createSeed } from "../helpers/blocks-of-file.ts";
import { createHonest } from "../helpers/honest.ts";
import { suite } from "../helpers/suite.ts";
import { bitsOf, createWirePeer, open } from "../helpers/swarm-wire.ts";
import { until } from "../helpers/until.ts";

const LEAVES = 60;
const FILE = await createFileBlocks({ leaves: LEAVES, size: 3_000 });

suite("streams", (test) => {
  test("a stream that breaks is opened again, by the side whose turn it is", async () => {
    await using node = await createSeed(FILE);
    await using peer = await createWirePeer({ id: { above: node.id } });
    const wire = await peer.meet(node);
    await wire.hear("hello");
    wire.stream.abort(new Error("a bad line"));
    await until("there is another stream", () => peer.wires.length === 2);
    const again = peer.wires[1]!;
    again.say(open(FILE.root));
    await again.hearOpen(FILE.root);
    assert.equal(node.told, []);
  });

  test("a group is closed to who closed it, and goes on with others", async () => {
    await using node = await createSeed(FILE);
    await using honest = await createHonest(node, FILE);
    await using leaver = await createWirePeer();
    const wire = await leaver.meet(node);
    for (const number of [0, 7]) {
      const from = wire.heard.length;
      wire.say(open(FILE.root, 0, bitsOf(0), number));
      const { group } = await wire.hear("open", undefined, from);
      wire.say({ type: "close", group: number });
      await wire.hear("close", (close) => close.group === group);
      assert.ok(await honest.read());
    }
    assert.equal(node.told, []);
  });

  test("who was dropped is not spoken to when it comes again, and nothing more is said about it", async () => {
    await using node = await createSeed(FILE);
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node);
    wire.say(Uint8Array.of(1, 8)); // a frame of no known type
    await wire.end();
    if (enemy.id < node.id) {
      const again = await enemy.meet(node);
      await again.end();
      assert.equal(again.heard, []);
    } else {
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // longer than it takes to open a broken one again
      assert.is(enemy.wires.length, 1);
    }
    assert.is(node.told.length, 1);
  });

  test("a stream from the wrong side is refused", async () => {
    await using node = await createSeed(FILE);
    await using honest = await createHonest(node, FILE);
    await using enemy = await createWirePeer({ id: { above: node.id } });
    const wire = await enemy.meet(node);
    await enemy.openStream(node);
    await wire.end();
    assert.equal(node.told, [
      `${enemy.id} is not spoken to any more: it opened a stream that was not its to open`,
    ]);
    assert.ok(await honest.read());
  });

  test("a thousand streams from one peer hurt nobody but it", async () => {
    await using node = await createSeed(FILE);
    await using honest = await createHonest(node, FILE);
    await using enemy = await createWirePeer({ id: { below: node.id } });
    await enemy.meet(node);
    const opened = Array.from(
      { length: 1_000 },
      () => enemy.openStream(node).catch(() => undefined),
    );
    await Promise.all(opened);
    assert.ok(await honest.read());
    for (const { stream } of enemy.wires) stream.abort(new Error("enough"));
    for (let i = 0; i < 40 && node.told.length === 0; i++) {
      await enemy.openStream(node).catch(() => undefined);
      await honest.read();
    }
    assert.equal(node.told, [
      `${enemy.id} is not spoken to any more: it begins anew again and again`,
    ]);
    assert.ok(await honest.read());
  });
});
