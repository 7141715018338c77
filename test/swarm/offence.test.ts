/** Peers that keep to the frames, and mean harm all the same: they lose their place, and nobody else notices. */
import * as assert from "uvu/assert";
import { WANTING } from "../../src/swarm/frame.ts";
import { Gifts } from "../../src/swarm/gifts.ts";
import { QUEUE, STRANGER_QUEUE } from "../../src/swarm/queues.ts";
import { createBareSwarm } from "../helpers/bare-swarm.ts";
import {
  createFileBlocks,
  createSeed,
  type FileBlocks,
  readAll,
} from "../helpers/blocks-of-file.ts";
import { giver } from "../helpers/giver.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { bitsOf, createWirePeer, list, open, partsOf, request } from "../helpers/swarm-wire.ts";
import { until } from "../helpers/until.ts";

const FILE = await createFileBlocks({ leaves: 12, size: 30_000 });
const ALL = FILE.members.length;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

suite("offence", (test) => {
  test("who asks again and again for what it was given is dropped", async () => {
    await using node = await createSeed(FILE);
    await using flooder = await createWirePeer();
    const wire = await flooder.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 60 && !wire.over; i++) {
      const from = wire.heard.length;
      wire.say(request(0, 1));
      if (i < 3) {
        await wire.hear("block", (block) => block.offset + block.data.length === 30_000, from);
      }
      wire.say(list("cancel", 0, 1));
      await pause(2);
    }
    await wire.end();
    assert.equal(node.told, [
      `${flooder.id} is not spoken to any more: it asks again and again for what it was given`,
    ]);
    const blocks = wire.heard.filter((frame) => frame.type === "block" && frame.offset === 0);
    assert.is(blocks.length, 3);
  });

  test("who is given a block again because it lost it twice is not", async () => {
    await using node = await createSeed(FILE);
    await using unlucky = await createWirePeer();
    const wire = await unlucky.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 3; i++) {
      const from = wire.heard.length;
      wire.say(request(0, 1));
      await wire.hear("block", (block) => block.offset + block.data.length === 30_000, from);
      wire.say(list("have", 0, 1), list("lost", 0, 1));
    }
    assert.equal(node.told, []);
    assert.not(wire.over);
  });

  test("who asks and cancels without end is dropped as well, whatever it gets of it", async () => {
    await using node = await createSeed(FILE);
    await using flooder = await createWirePeer();
    const wire = await flooder.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 400 && !wire.over; i++) {
      const from = wire.heard.length;
      wire.say(request(0, i % 3 + 1));
      const part = wire.hear("block", undefined, from).catch(() => undefined); // in the end there is none
      await Promise.race([part, pause(20)]);
      wire.say(list("cancel", 0, i % 3 + 1));
    }
    await wire.end();
    assert.match(node.told.join(), "it asks again and again for what it was given");
  });

  test("a line that is bad for long gets the block in the end", () => {
    const gifts = new Gifts();
    const given = [0, 1, 2].map((second) => {
      gifts.give(7, second * 100);
      return gifts.isEnough(7, second * 100);
    });
    assert.equal(given, [false, false, true]);
    assert.not(gifts.isEnough(7, 5_000));
    for (let now = 10_000; now < 60_000; now += 2_500) {
      assert.not(gifts.isEnough(7, now));
      gifts.give(7, now);
    }
    gifts.give(8, 0);
    gifts.give(8, 0);
    gifts.give(8, 0);
    gifts.takeBack(8);
    assert.not(gifts.isEnough(8, 0));
  });

  test("who asks for what it says it has is dropped", async () => {
    await using node = await createSeed(FILE);
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node);
    wire.say(open(FILE.root, ALL, bitsOf(ALL, (i) => i < 6)));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 12; i++) wire.say(request(0, 1, 2, 3));
    await wire.end();
    assert.equal(node.told, [
      `${enemy.id} is not spoken to any more: it asks for what it says it has`,
    ]);
    assert.not(wire.heard.some(({ type }) => type === "block"));
  });

  test("who takes back what it offers whenever it is asked is dropped, and the read completes", async () => {
    await using node = await createReader();
    await using liar = await createWirePeer({
      onFrame(wire, frame) {
        if (frame.type !== "request") return;
        wire.say(list("lost", 0, ...frame.indices), list("have", 0, ...frame.indices));
      },
    });
    const wire = await liar.meet(node);
    wire.say(open(FILE.root, ALL));
    const reading = readAll(node, FILE);
    await wire.end();
    assert.equal(node.told, [
      `${liar.id} is not spoken to any more: it takes back what it offers as soon as it is asked for it`,
    ]);
    await using honest = await createSeed(FILE);
    await node.meet(honest);
    assert.equal(await reading, FILE.content);
  });

  test("a stranger is asked for little until it has given a block; when it goes nothing of it is left", async () => {
    await using bare = await createBareSwarm();
    const [{ cid: root, bytes }] = FILE.members as [FileBlocks["members"][number]];
    bare.blocks.set(root.multihash.bytes.join(), bytes);
    bare.swarm.shelf.handed(root, bytes);
    const leave = bare.swarm.expect(FILE.leaves);
    await using stranger = await createWirePeer();
    const wire = await stranger.meet(bare);
    wire.say(open(root, ALL, bitsOf(ALL, (i) => i < ALL - 1), 0, WANTING));
    const asked = () =>
      wire.heard.flatMap((frame) => frame.type === "request" ? frame.indices : []).length;
    await wire.hear("request");
    await pause(300);
    assert.is(asked(), STRANGER_QUEUE);
    const [index] = (await wire.hear("request")).indices as [number];
    wire.say(...partsOf(0, index, FILE.members[index]!.bytes));
    await wire.hear("have");
    await until("it is asked for more", () => asked() > STRANGER_QUEUE);
    assert.is(asked(), QUEUE + 1);
    assert.is(bare.swarm.holdings.peers, 1);
    wire.stream.abort(new Error("it goes"));
    await until("it is gone", () => bare.swarm.talk.members.size === 0);
    assert.is(bare.swarm.holdings.peers, 0);
    leave();
  });

  test("who sends wrong bytes is hung up on, nothing of it is kept, and the read completes", async () => {
    await using node = await createReader();
    const answer = giver([FILE], { change: (bytes) => bytes.map((byte) => byte ^ 1) });
    await using liar = await createWirePeer({ onFrame: answer });
    const wire = await liar.meet(node);
    wire.say(open(FILE.root, ALL));
    const reading = readAll(node, FILE);
    await wire.end();
    await until("the connection is closed", () => node.peers.length === 0);
    await using honest = await createSeed(FILE);
    await node.meet(honest);
    assert.equal(await reading, FILE.content);
    assert.is(node.told.length, 1);
    assert.match(
      node.told[0]!,
      new RegExp(`^${liar.id} is not asked any more: it sent wrong bytes`),
    );
  });

  test("who offers and never gives is dropped if others offer the same, and borne with if not", async () => {
    await using bare = await createBareSwarm();
    await using staller = await createWirePeer();
    const wire = await staller.meet(bare);
    wire.say(open(FILE.root, ALL));
    // It stalls every other time it is looked at: real stalls take minutes.
    let looked = 0;
    bare.swarm.scheduler.isStalled = (number) => number === 0 && looked++ % 2 === 0;
    const leave = bare.swarm.expect([FILE.root]);
    await wire.hear("request");
    await pause(3_500);
    assert.ok(looked > 10);
    assert.not(wire.over);

    await using other = await createWirePeer();
    const another = await other.meet(bare);
    another.say(open(FILE.root, ALL));
    await wire.end();
    leave();
    assert.equal(bare.log, [
      `${staller.id} is not spoken to any more: it offers, and never gives`,
    ]);
    assert.not(another.over);
  });
});

/** A node that has the file's root, and knows of it. */
async function createReader(): Promise<LoopbackNode> {
  const node = await createLoopbackNode();
  await node.helia.blockstore.put(FILE.root, FILE.members[0]!.bytes);
  await node.blocks.get(FILE.root);
  return node;
}
