/** What peers can make a node do, and what they cannot: blocks that nobody needs, floods, disks that fail. */
import type { Stream } from "@libp2p/interface";
import { code as dagPb, encode as encodePb } from "@ipld/dag-pb";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { encodeFrame } from "../../src/swarm/frame.ts";
import { Intake } from "../../src/swarm/intake.ts";
import { Outbox } from "../../src/swarm/outbox.ts";
import { createBareSwarm } from "../helpers/bare-swarm.ts";
import { createFileBlocks, createSeed, unknown } from "../helpers/blocks-of-file.ts";
import { join } from "../helpers/frames.ts";
import { giver } from "../helpers/giver.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { bitsOf, createWirePeer, list, open, partsOf, request } from "../helpers/swarm-wire.ts";

const FILE = await createFileBlocks({ leaves: 12, size: 30_000 });
const ALL = FILE.members.length;
const LATER = await createFileBlocks({ leaves: 3, seed: 8 });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

suite("session", (test) => {
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
    await using node = await createSeed(FILE);
    await using flooder = await createWirePeer();
    await using honest = await createWirePeer();
    const flood = await flooder.meet(node);
    const wire = await honest.meet(node);
    wire.say(open(FILE.root));
    flood.say(open(FILE.root));
    await flood.hearOpen(FILE.root);
    const { group } = await wire.hearOpen(FILE.root);
    // As one piece, so that it is not the flooder that is busy.
    const frames = [list("cancel", 0, 1), list("cancel", 0, 2)].map(encodeFrame);
    flood.say(join(Array.from({ length: 20_000 }, () => frames).flat()));
    await pause(50);
    const begun = performance.now();
    for (let index = 1; index < ALL; index++) {
      wire.say(request(0, index));
      await wire.hear("block", (block) => block.group === group && block.index === index);
      wire.say(list("have", 0, index));
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
    for (let i = 0; i < 1_000; i++) wire.say(open(unknown(FILE, i), 0, bitsOf(0), i));
    await pause(1_000);
    assert.ok(reads > 50 && reads < 300, `${reads} reads in a second`);
    assert.is(most, 1);

    await using honest = await createWirePeer();
    const other = await honest.meet(bare);
    const begun = performance.now();
    other.say(open(FILE.root));
    await other.hearOpen(FILE.root);
    assert.ok(performance.now() - begun < 500);

    // What is closed before its turn is not looked for, and takes no turn: hundreds wait.
    for (let i = 0; i < 1_000; i++) wire.say({ type: "close", group: i });
    const before = reads;
    const closed = performance.now();
    wire.say(open(LATER.root, 0, bitsOf(0), 2_000));
    await wire.hearOpen(LATER.root);
    assert.ok(performance.now() - closed < 1_500, `${performance.now() - closed} ms`);
    assert.ok(reads - before < 100, `${reads - before} reads`);
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
    wire.say(request(0, 1));
    await wire.hear("block");
    assert.not(wire.over);
    assert.match(bare.log[0]!, `${broken.root}`);
    assert.match(bare.log[0]!, "the disk is broken");
  });

  test("what a CID carries itself is never said to be here, even if a store has it", async () => {
    await using bare = await createBareSwarm();
    const inline = CID.createV1(0x55, identity.digest(Uint8Array.of(1, 2, 3)));
    const links = [inline, FILE.leaves[0]!].map((Hash) => ({ Hash, Name: "", Tsize: 3 }));
    const block = encodePb({ Links: links });
    const root = CID.createV1(dagPb, await sha256.digest(block));
    const keep = (cid: CID, bytes: Uint8Array) =>
      bare.blocks.set(cid.multihash.bytes.join(), bytes);
    keep(root, block);
    keep(inline, inline.multihash.digest);
    await using peer = await createWirePeer();
    const wire = await peer.meet(bare);
    wire.say(open(root));
    assert.equal((await wire.hearOpen(root)).bits, bitsOf(3, (i) => i === 0));
    bare.swarm.stored(inline, inline.multihash.digest);
    bare.swarm.stored(FILE.leaves[0]!, FILE.members[1]!.bytes);
    assert.equal((await wire.hear("have")).indices, [2]);
  });

  test("a block that cannot be kept fails its reader, and is not fetched again and again", async () => {
    await using bare = await createBareSwarm();
    bare.before.put = () => {
      throw new Error("the disk is full");
    };
    let given = 0;
    await using peer = await createWirePeer({ onFrame: giver([FILE], { gave: () => given++ }) });
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

  test("a peer that has said all before anybody listened is heard to its end", async () => {
    const stream = Object.assign(new EventTarget(), {
      status: "open",
      remoteWriteStatus: "closed",
      readBufferLength: 0,
      resume() {},
    });
    const ended = new Promise<void>((ended, failed) => {
      const hear = () => failed(new Error("nothing was said"));
      new Intake(stream as unknown as Stream, { hear, ended, failed });
    });
    await Promise.race([ended, pause(1_000).then(() => assert.unreachable("it never ended"))]);
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

/** A node that has the file's root, and knows of it. */
async function createReader(): Promise<LoopbackNode> {
  const node = await createLoopbackNode();
  await node.helia.blockstore.put(FILE.root, FILE.members[0]!.bytes);
  await node.blocks.get(FILE.root);
  return node;
}
