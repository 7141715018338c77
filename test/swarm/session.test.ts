/** Peers that keep to the frames and mean harm all the same, or whose line is bad: budgets, standing, and streams that break. */
import type { Stream } from "@libp2p/interface";
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { encodeFrame, type Frame } from "../../src/swarm/frame.ts";
import { Gifts } from "../../src/swarm/gifts.ts";
import { Outbox } from "../../src/swarm/outbox.ts";
import { createBareSwarm } from "../helpers/bare-swarm.ts";
import { createFileBlocks, type FileBlocks } from "../helpers/blocks-of-file.ts";
import { concat } from "../helpers/bytes.ts";
import { join } from "../helpers/frames.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import {
  bitsOf,
  createWirePeer,
  partsOf,
  type Wire,
  type WireSettings,
} from "../helpers/swarm-wire.ts";
import { until } from "../helpers/until.ts";

const FILE = await createFileBlocks({ leaves: 12, size: 30_000 });
const ALL = FILE.members.length;

const open = (cid: CID, count = 0, bits = bitsOf(count), group = 0): Frame => (
  { type: "open", group, cid, flags: 0, count, bits }
);
const request = (...indices: number[]): Frame => ({ type: "request", group: 0, level: 0, indices });
const list = (type: "have" | "lost" | "cancel", ...indices: number[]): Frame => (
  { type, group: 0, indices }
);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

suite("session", (test) => {
  test("who asks again and again for what it was given is dropped", async () => {
    await using node = await createSeed();
    await using flooder = await createWirePeer();
    const wire = await flooder.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 60 && !wire.over; i++) {
      const from = wire.heard.length;
      wire.say(request(1));
      if (i < 3) {
        await wire.hear("block", (block) => block.offset + block.data.length === 30_000, from);
      }
      wire.say(list("cancel", 1));
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
    await using node = await createSeed();
    await using unlucky = await createWirePeer();
    const wire = await unlucky.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 3; i++) {
      const from = wire.heard.length;
      wire.say(request(1));
      await wire.hear("block", (block) => block.offset + block.data.length === 30_000, from);
      wire.say(list("have", 1), list("lost", 1));
    }
    assert.equal(node.told, []);
    assert.not(wire.over);
  });

  test("who asks and cancels without end is dropped as well, whatever it gets of it", async () => {
    await using node = await createSeed();
    await using flooder = await createWirePeer();
    const wire = await flooder.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 400 && !wire.over; i++) {
      const from = wire.heard.length;
      wire.say(request(i % 3 + 1));
      const part = wire.hear("block", undefined, from).catch(() => undefined); // in the end there is none
      await Promise.race([part, pause(20)]);
      wire.say(list("cancel", i % 3 + 1));
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
    await using node = await createSeed();
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node);
    wire.say(open(FILE.root, ALL, bitsOf(ALL, (i) => i < 6)));
    await wire.hearOpen(FILE.root);
    for (let i = 0; i < 12; i++) wire.say(request(1, 2, 3));
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
        wire.say(list("lost", ...frame.indices), list("have", ...frame.indices));
      },
    });
    const wire = await liar.meet(node);
    wire.say(open(FILE.root, ALL));
    const reading = readAll(node);
    await wire.end();
    assert.equal(node.told, [
      `${liar.id} is not spoken to any more: it takes back what it offers as soon as it is asked for it`,
    ]);
    await using honest = await createSeed();
    await node.meet(honest);
    assert.equal(await reading, FILE.content);
  });

  test("who sends wrong bytes is hung up on, nothing of it is kept, and the read completes", async () => {
    await using node = await createReader();
    const answer = giver({ bytes: (bytes) => bytes.map((byte) => byte ^ 1) });
    await using liar = await createWirePeer({ onFrame: answer });
    const wire = await liar.meet(node);
    wire.say(open(FILE.root, ALL));
    const reading = readAll(node);
    await wire.end();
    await until("the connection is closed", () => node.peers.length === 0);
    await using honest = await createSeed();
    await node.meet(honest);
    assert.equal(await reading, FILE.content);
    assert.is(node.told.length, 1);
    assert.match(
      node.told[0]!,
      new RegExp(`^${liar.id} is not asked any more: it sent wrong bytes`),
    );
  });

  test("a block may be sent as often as it was asked for, and not once more", async () => {
    await using node = await createReader();
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node);
    const stop = new AbortController();
    const reading = node.blocks.get(FILE.leaves[0]!, { signal: stop.signal });
    reading.catch(() => undefined); // it is given up below, if it did not end before
    wire.say(open(FILE.root, ALL));
    await wire.hear("request", ({ indices }) => indices.includes(1));
    const begin = partsOf(0, 1, FILE.members[1]!.bytes, 10_000);
    wire.say(begin[0]!);
    await pause(50);
    assert.not(wire.over);
    wire.say(begin[0]!);
    await wire.end();
    stop.abort();
    assert.match(node.told.join(), /it sends member 1 of \w+, which nobody asked it for$/);
  });

  test("a block that comes from elsewhere while it is being sent is no offence, and is acknowledged", async () => {
    await using node = await createReader();
    await using slow = await createWirePeer();
    const wire = await slow.meet(node);
    const reading = node.blocks.get(FILE.leaves[0]!);
    wire.say(open(FILE.root, ALL));
    await wire.hear("request", ({ indices }) => indices.includes(1));
    const [begin, ...rest] = partsOf(0, 1, FILE.members[1]!.bytes, 10_000);
    wire.say(begin!);
    await pause(50);
    await node.helia.blockstore.put(FILE.leaves[0]!, FILE.members[1]!.bytes);
    await reading;
    const isIt = ({ indices }: { indices: number[] }) => indices.includes(1);
    await wire.hear("have", isIt);
    const from = wire.heard.length;
    wire.say(...rest);
    await wire.hear("have", isIt, from);
    assert.equal(node.told, []);
  });

  test("a flood of frames is read no faster than others are served meanwhile", async () => {
    await using node = await createSeed();
    await using flooder = await createWirePeer();
    await using honest = await createWirePeer();
    const flood = await flooder.meet(node);
    const wire = await honest.meet(node);
    wire.say(open(FILE.root));
    flood.say(open(FILE.root));
    await flood.hearOpen(FILE.root);
    const { group } = await wire.hearOpen(FILE.root);
    // As one piece, so that it is not the flooder that is busy.
    const frames = [list("cancel", 1), list("cancel", 2)].map(encodeFrame);
    flood.say(join(Array.from({ length: 20_000 }, () => frames).flat()));
    await pause(50);
    const begun = performance.now();
    for (let index = 1; index < ALL; index++) {
      wire.say(request(index));
      await wire.hear("block", (block) => block.group === group && block.index === index);
      wire.say(list("have", index));
    }
    // Read as fast as it comes it is over by now.
    assert.ok(performance.now() - begun < 2_000, `${performance.now() - begun} ms`);
    const from = flood.heard.length;
    flood.say(open(CID.createV1(0x55, FILE.root.multihash), 0, bitsOf(0), 1));
    await pause(300);
    assert.is(flood.heard.slice(from).filter(({ type }) => type === "open").length, 0);
    assert.not(wire.over);
  });

  test("what a peer brings up is looked for one after another, and so many a second", async () => {
    await using bare = await createBareSwarm();
    let reads = 0, atOnce = 0, most = 0;
    bare.before.read = async () => {
      reads++;
      most = Math.max(most, ++atOnce);
      await pause(1);
      atOnce--;
    };
    await using flooder = await createWirePeer();
    const wire = await flooder.meet(bare);
    for (let i = 0; i < 1_000; i++) wire.say(open(unknown(i), 0, bitsOf(0), i));
    await pause(1_000);
    assert.ok(reads > 50 && reads < 300, `${reads} reads in a second`);
    assert.is(most, 1);

    await using honest = await createWirePeer();
    const other = await honest.meet(bare);
    const begun = performance.now();
    other.say(open(FILE.root));
    await other.hearOpen(FILE.root);
    assert.ok(performance.now() - begun < 500);

    // What is closed before its turn is not looked for.
    for (let i = 0; i < 1_000; i++) wire.say({ type: "close", group: i });
    await pause(600);
    const before = reads;
    await pause(300);
    assert.is(reads, before);
    assert.equal(bare.log, []);
  });

  test("a disk that cannot be read is told to the reader, and ends nothing else", async () => {
    await using bare = await createBareSwarm();
    const broken = await createFileBlocks({ seed: 3 });
    bare.before.read = (cid) => {
      if (cid.equals(broken.root)) throw new Error("the disk is broken");
    };
    for (const { cid, bytes } of FILE.members) bare.blocks.set(cid.multihash.bytes.join(), bytes);
    await using peer = await createWirePeer();
    const wire = await peer.meet(bare);
    wire.say(open(broken.root, 0, bitsOf(0), 1), open(FILE.root));
    const signal = AbortSignal.timeout(5_000);
    const failed = await bare.swarm.fetch(broken.root, signal).catch((error: Error) => error);
    assert.is((failed as Error).message, "the disk is broken");
    const leave = bare.swarm.expect([broken.root]);
    await wire.hearOpen(FILE.root);
    leave();
    wire.say(request(1));
    await wire.hear("block");
    assert.not(wire.over);
    assert.match(bare.log[0]!, `${broken.root}`);
    assert.match(bare.log[0]!, "the disk is broken");
  });

  test("a block that cannot be kept fails its reader, and is not fetched again and again", async () => {
    await using bare = await createBareSwarm();
    bare.before.put = () => {
      throw new Error("the disk is full");
    };
    let given = 0;
    await using peer = await createWirePeer({ onFrame: giver({ gave: () => given++ }) });
    const wire = await peer.meet(bare);
    wire.say(open(FILE.root, ALL));
    const leave = bare.swarm.expect([FILE.root]);
    const failed = await bare.swarm.fetch(FILE.root, AbortSignal.timeout(5_000))
      .catch((error: Error) => error);
    assert.is((failed as Error).message, "the disk is full");
    await pause(500);
    assert.is(given, 1);
    leave();
    assert.not(wire.over);
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

  test("a stream that breaks is opened again, by the side whose turn it is", async () => {
    await using node = await createSeed();
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

  test("blocks that wait at a stream that takes nothing are noticed, and are not sent twice", () => {
    const sent: number[] = [];
    const stream = Object.assign(new EventTarget(), {
      send: (data: { byteLength: number }) => {
        sent.push(data.byteLength);
        return false;
      },
    });
    const outbox = new Outbox(stream as unknown as Stream, (error) => {
      throw error;
    });
    const begun = performance.now();
    assert.is(outbox.stillFor(begun + 60_000), 0);
    const bytes = new Uint8Array(100_000);
    outbox.push({ group: 1, index: 1, bytes, part: 16_384 });
    outbox.push({ group: 1, index: 1, bytes, part: 16_384 });
    outbox.push({ group: 1, index: 2, bytes, part: 16_384 });
    assert.ok(outbox.stillFor(begun + 60_000) > 59_000);
    assert.is(sent.length, 1);
    assert.not(outbox.stop(1, 1), "a part of it has left");
    assert.ok(outbox.stop(1, 2));
    assert.not(outbox.stop(1, 2), "it is stopped already");
    assert.not(outbox.stop(1, 3));
    outbox.end();
  });
});

/** A node that has the file. */
async function createSeed(): Promise<LoopbackNode> {
  const node = await createLoopbackNode();
  for (const { cid, bytes } of FILE.members) await node.helia.blockstore.put(cid, bytes);
  return node;
}

/** A node that has the file's root, and knows of it. */
async function createReader(): Promise<LoopbackNode> {
  const node = await createLoopbackNode();
  await node.helia.blockstore.put(FILE.root, FILE.members[0]!.bytes);
  await node.blocks.get(FILE.root);
  return node;
}

async function readAll(node: LoopbackNode): Promise<Uint8Array> {
  const { entry } = await node.open(`/ipfs/${FILE.root}`);
  if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
  return await concat(entry.bytes());
}

/** Gives what it is asked for. */
function giver(
  { file = FILE, bytes: change = (bytes) => bytes, gave = () => {} }: {
    file?: FileBlocks;
    bytes?: (bytes: Uint8Array) => Uint8Array;
    gave?: (index: number) => void;
  } = {},
): NonNullable<WireSettings["onFrame"]> {
  return (wire: Wire, frame: Frame) => {
    if (frame.type !== "request") return;
    for (const index of frame.indices) {
      gave(index);
      wire.say(...partsOf(0, index, change(file.members[index]!.bytes)));
    }
  };
}

/** The CID of a folder that nobody has. */
function unknown(i: number): CID {
  const bytes = new Uint8Array(FILE.root.bytes);
  new DataView(bytes.buffer).setUint32(4, i);
  return CID.decode(bytes);
}
