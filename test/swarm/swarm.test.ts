/** What peers get from a node and a node from peers: whole, verified, from whoever has it, and told to all who want to know. */
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encode as encodePb } from "@ipld/dag-pb";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import * as assert from "uvu/assert";
import type { NethoodError } from "../../src/errors.ts";
import { encodeMessage, frame, prefixOf } from "../helpers/bitswap-wire.ts";
import { thrown } from "../helpers/failure.ts";
import { createLiar } from "../helpers/liar.ts";
import { createMemoryBlocks, DAG_PB, RAW } from "../helpers/memory-blocks.ts";
import { createBareSwarm } from "../helpers/bare-swarm.ts";
import {
  createFileBlocks,
  createSeed,
  type FileBlocks,
  readAll,
} from "../helpers/blocks-of-file.ts";
import { utf8 } from "../helpers/bytes.ts";
import { giver } from "../helpers/giver.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { asked, bitsOf, createWirePeer, list, open, request } from "../helpers/swarm-wire.ts";
import { until } from "../helpers/until.ts";

const FILE = await createFileBlocks({ leaves: 12, size: 20_000 });
const ALL = FILE.members.length;
const LATER = await createFileBlocks({ leaves: 12, size: 10_000, seed: 5 });

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const names = (index: number) => ({ indices }: { indices: number[] }) => indices.includes(index);

suite("swarm", (test) => {
  test("a block is verified before it is stored, and stored before it is told", async () => {
    await using bare = await createBareSwarm();
    const put = Promise.withResolvers<void>();
    let puts = 0;
    bare.before.put = () => {
      puts++;
      return put.promise;
    };
    await using seeder = await createWirePeer({ onFrame: giver([FILE]) });
    await using other = await createWirePeer();
    const [wire, watching] = [await seeder.meet(bare), await other.meet(bare)];
    watching.say(open(FILE.root));
    await watching.hearOpen(FILE.root);
    wire.say(open(FILE.root, ALL));
    const fetching = bare.swarm.fetch(FILE.root, AbortSignal.timeout(5_000));
    await until("it is being stored", () => puts === 1);
    await pause(100);
    assert.not(watching.heard.some(({ type }) => type === "have"), "told before it was stored");
    assert.is(bare.blocks.size, 0);
    put.resolve();
    await watching.hear("have", names(0));
    await wire.hear("have", names(0));
    assert.is(bare.blocks.size, 1);
    await fetching;
    assert.equal(bare.blocks.get(FILE.root.multihash.bytes.join()), FILE.members[0]!.bytes);

    await using liar = await createWirePeer({
      onFrame: giver([LATER], { change: (bytes) => bytes.fill(7) }),
    });
    const lying = await liar.meet(bare);
    lying.say(open(LATER.root, LATER.members.length));
    const failed = bare.swarm.fetch(LATER.root, AbortSignal.timeout(500)).catch(() => "nothing");
    await lying.end();
    assert.is(await failed, "nothing");
    assert.is(puts, 1);
    assert.match(bare.banned.join(), `${liar.id} it sent wrong bytes for ${LATER.root}`);
  });

  test("a block that comes by bitswap is told to the swarm", async () => {
    await using node = await createLoopbackNode();
    await using watcher = await createWirePeer();
    const wire = await watcher.meet(node);
    wire.say(open(FILE.root));
    await wire.hearOpen(FILE.root);
    await using stranger = await createLiar((cid) => {
      const member = FILE.members.find((member) => member.cid.equals(cid));
      if (member === undefined) return undefined;
      return frame(encodeMessage({ blocks: [{ prefix: prefixOf(cid), data: member.bytes }] }));
    });
    await node.meet(stranger);
    assert.equal(await readAll(node, FILE), FILE.content);
    for (let index = 0; index < ALL; index++) await wire.hear("have", names(index));
    wire.say(request(0, 3));
    const { group } = await wire.hearOpen(FILE.root);
    await wire.hear("block", (block) => block.group === group && block.index === 3);
  });

  test("a damaged file is taken back from all who were told, and is fetched anew by who reads it", async () => {
    await using node = await createSeed(FILE, { memory: 1 });
    await using one = await createWirePeer();
    await using other = await createWirePeer({ onFrame: giver([FILE]) });
    const [wire, giving] = [await one.meet(node), await other.meet(node)];
    wire.say(open(FILE.root));
    giving.say(open(FILE.root, ALL));
    await wire.hearOpen(FILE.root);
    const { bits } = await giving.hearOpen(FILE.root);
    assert.equal(bits, bitsOf(ALL));

    await damage(node, FILE.leaves[2]!);
    wire.say(request(0, 3));
    await wire.hear("lost", names(3));
    await giving.hear("lost", names(3));
    await damage(node, FILE.leaves[5]!);
    assert.equal(await readAll(node, FILE), FILE.content);
    await wire.hear("lost", names(6));
    await wire.hear("have", names(3));
    await wire.hear("have", names(6));
    assert.equal(asked(giving), [3, 6]);
    // Who asks for what is lost, and cannot know yet, is told again.
    await damage(node, FILE.leaves[7]!);
    wire.say(request(0, 8));
    await wire.hear("lost", names(8));
    const from = wire.heard.length;
    wire.say(request(0, 8));
    await wire.hear("lost", names(8), from);
    assert.equal(node.told, []);
  });

  test("who opens a group before anybody has its block hears of everything as soon as it is here", async () => {
    await using node = await createLoopbackNode();
    await node.helia.blockstore.put(FILE.leaves[4]!, FILE.members[5]!.bytes);
    await using early = await createWirePeer();
    const wire = await early.meet(node);
    wire.say(open(FILE.root));
    assert.is((await wire.hearOpen(FILE.root)).count, 0);
    await node.helia.blockstore.put(FILE.root, FILE.members[0]!.bytes);
    await wire.hear("have", names(0));
    await wire.hear("have", names(5));
  });

  test("a count that turns out a lie when the block comes ends that peer's stream, and no other", async () => {
    await using node = await createLoopbackNode();
    await using liar = await createWirePeer({ onFrame: giver([FILE]) });
    await using honest = await createWirePeer({ onFrame: giver([FILE]) });
    const lying = await liar.meet(node);
    lying.say(open(FILE.root, 40));
    await lying.hearOpen(FILE.root);
    const wire = await honest.meet(node);
    const reading = readAll(node, FILE);
    wire.say(open(FILE.root, ALL));
    await lying.end();
    assert.equal(await reading, FILE.content);
    assert.equal(node.told, [
      `${liar.id} is not spoken to any more: it says that ${FILE.root} has 40 members`,
    ]);
  });

  test("a root that lies about its size is the publisher's fault: the reader is told, the peer is spoken to on", async () => {
    const lie = await createFileBlocks({ leaves: 4, seed: 9, fileSize: 12_345 });
    const sites: FileBlocks[] = [lie, FILE];
    await using node = await createLoopbackNode();
    await using seeder = await createWirePeer({ onFrame: giver(sites) });
    const wire = await seeder.meet(node);
    sites.forEach(({ root, members }, i) => wire.say(open(root, members.length, undefined, i)));
    assert.is((await thrown(readAll(node, lie)) as NethoodError).code, "BAD_BLOCK");
    assert.equal(await readAll(node, FILE), FILE.content);
    assert.equal(node.told, []);
    assert.not(wire.over);
  });

  test("a link that carries its own bytes is a member, and never had, never asked for", async () => {
    const blocks = createMemoryBlocks();
    const inline = CID.createV1(RAW, identity.digest(utf8("inline")));
    const empty = encodePb({ Data: new Uint8Array([8, 1]), Links: [] });
    const folder = CID.createV1(DAG_PB, identity.digest(empty));
    const text = await blocks.put(RAW, utf8("a text"));
    const links = [["a.txt", inline], ["b", folder], ["c.txt", text]] as const;
    const root = await blocks.node({
      type: "DIRECTORY",
      links: links.map(([name, cid]) => ({ name, cid })),
    });
    const members = [];
    for (const cid of [root, text]) {
      members.push({ cid, bytes: new Uint8Array(await blocks.get(cid)) });
    }

    await using node = await createLoopbackNode();
    await using seeder = await createWirePeer({
      onFrame: giver([{ members: [members[0]!, undefined!, undefined!, members[1]!] }]),
    });
    const wire = await seeder.meet(node);
    wire.say(open(root, 4, bitsOf(4, (i) => i === 0 || i === 3)));
    await node.open(`/ipfs/${root}`);
    await node.open(`/ipfs/${root}/a.txt`);
    await node.open(`/ipfs/${root}/b`);
    await node.open(`/ipfs/${root}/c.txt`);
    await node.helia.blockstore.put(inline, utf8("inline")); // as others may do
    assert.not(asked(wire).some((index) => index === 1 || index === 2));

    await using reader = await createWirePeer();
    const reading = await reader.meet(node);
    reading.say(open(root));
    assert.equal((await reading.hearOpen(root)).bits, bitsOf(4, (i) => i === 0 || i === 3));
    await using liar = await createWirePeer();
    const lying = await liar.meet(node);
    lying.say(open(root, 4));
    await lying.end();
    assert.match(node.told.join(), `it says to have member 1 of ${root}, which is no block`);
    assert.is(node.told.length, 1);
  });

  test("what is closed is closed by both, and what was asked in it is void even if numbers are given anew", async () => {
    await using bare = await createBareSwarm();
    for (const { cid, bytes } of [...FILE.members, ...LATER.members]) {
      bare.blocks.set(cid.multihash.bytes.join(), bytes);
    }
    const gate = Promise.withResolvers<void>();
    await using peer = await createWirePeer();
    const wire = await peer.meet(bare);
    wire.say(open(FILE.root));
    const { group: closed } = await wire.hearOpen(FILE.root);
    bare.before.read = (cid) =>
      FILE.leaves.some((leaf) => leaf.equals(cid)) ? gate.promise : undefined;
    wire.say(request(0, 1, 2, 3, 4, 5));
    await pause(50);
    wire.say({ type: "close", group: 0 });
    await wire.hear("close", ({ group }) => group === closed);
    wire.say(open(LATER.root, 0, bitsOf(0), 1));
    const { group } = await wire.hearOpen(LATER.root);
    gate.resolve();
    wire.say(request(1, 1, 2));
    for (const index of [1, 2]) {
      const block = await wire.hear(
        "block",
        (block) => block.group === group && block.index === index,
      );
      assert.equal(new Uint8Array(block.data), LATER.members[index]!.bytes);
      wire.say(list("have", 1, index));
    }
    await pause(100);
    assert.is(wire.heard.filter(({ type }) => type === "block").length, 2);
    assert.equal(bare.log, []);
  });
});

/** Cuts a block's file short, as a power failure does. */
async function damage(node: LoopbackNode, cid: CID): Promise<void> {
  const { base32upper } = await import("multiformats/bases/base32");
  const name = `${base32upper.encode(cid.multihash.bytes)}.data`;
  const files = await readdir(join(node.dir!, "blocks"), { recursive: true });
  const file = files.find((file) => file.endsWith(name));
  if (file === undefined) throw new Error(`${cid} has no file`);
  await writeFile(join(node.dir!, "blocks", file), "cut short");
}
