/** Peers that say what nobody may say: each is dropped with one sentence, and nobody else notices. */
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { varint } from "multiformats";
import * as assert from "uvu/assert";
import type { Frame } from "../../src/swarm/frame.ts";
import {
  createFileBlocks,
  createSeed,
  type FileBlocks,
  unknown,
} from "../helpers/blocks-of-file.ts";
import { join, unhex } from "../helpers/frames.ts";
import { createHonest } from "../helpers/honest.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { bitsOf, createWirePeer, list, open, partsOf, request } from "../helpers/swarm-wire.ts";

const LEAVES = 60;
const FILE = await createFileBlocks({ leaves: LEAVES, size: 3_000 });
/** Nobody has it. */
const OTHER = await createFileBlocks({ leaves: 3, seed: 2 });

/** A frame with its length before it. */
function raw(type: number, ...parts: (number | Uint8Array)[]): Uint8Array {
  const body = join([Uint8Array.of(type), ...parts.map(bytesOf)]);
  return join([bytesOf(body.length), body]);
}
const bytesOf = (part: number | Uint8Array) =>
  typeof part === "number"
    ? varint.encodeTo(part, new Uint8Array(varint.encodingLength(part)))
    : part;

const openRaw = (cid: Uint8Array, ...rest: (number | Uint8Array)[]) =>
  raw(1, 0, 0, cid.length, cid, ...rest);
const block = (index: number, offset: number, size: number, length: number): Frame => (
  { type: "block", group: 0, index, offset, size, data: new Uint8Array(length) }
);
const P = FILE.root.bytes;
const OPEN = open(FILE.root, LEAVES + 1, bitsOf(LEAVES + 1, (i) => i < 3));
const UNKNOWN_SIZE = open(FILE.root);
const UNKNOWN = open(OTHER.root, 4, bitsOf(4));

type Bad = [title: string, said: (Frame | Uint8Array)[], reason: RegExp];

const BY_ITSELF: Bad[] = [
  ["a length of 0", [unhex("00")], /a frame without a type/],
  ["a length over the limit", [unhex("c1 80 04 06")], /a frame of 65601 bytes/],
  ["a length of four bytes", [unhex("80 80 80 01")], /more than three bytes/],
  ["a length that is not the shortest", [unhex("81 00")], /in more bytes than it needs/],
  ["a number that is not the shortest", [unhex("03 07 80 00")], /in more bytes than it needs/],
  ["a number of more than 31 bits", [unhex("06 07 ff ff ff ff 0f")], /more than 31 bits/],
  ["a number of six bytes", [unhex("07 07 80 80 80 80 80 01")], /more than five bytes/],
  ["an unknown type", [raw(8, 0)], /8/],
  ["a body that ends too early", [raw(7)], /ends too early/],
  ["bytes after a body", [raw(7, 0, 0)], /after/],
  ["no CID", [openRaw(unhex("09 09 09 09"), 0)], /CID/],
  ["a long CID", [openRaw(join([unhex("01 55 12 80 01"), new Uint8Array(128)]), 0)], /CID/],
  [
    "an identity CID",
    [openRaw(CID.createV1(0x55, identity.digest(new Uint8Array(3))).bytes, 0)],
    /an identity CID/,
  ],
  ["a CID and something after it", [openRaw(join([P, P]), 0)], /a CID that cannot be read/],
  ["a CID that is longer than its frame", [raw(1, 0, 0, P.length + 1, P)], /ends too early/],
  [
    "a CID of version 0 with its version before it",
    [openRaw(join([unhex("00 70"), FILE.root.multihash.bytes]), 0)],
    /a CID in another form than its own/,
  ],
  ["a count over the limit", [openRaw(P, 65_537, new Uint8Array(8_193))], /65537 members/],
  ["bits of another length", [openRaw(P, 9, unhex("01"))], /1 bytes of bits for 9 members/],
  ["bits beyond the last member", [openRaw(P, 3, unhex("09"))], /beyond the last member/],
  ["a count without the first bit", [openRaw(P, 3, unhex("02"))], /does not have the first/],
  ["an empty list", [OPEN, raw(2, 0, 0)], /without indices/],
  ["a list over the limit", [OPEN, raw(2, 0, 65_537)], /65537 indices/],
  ["an index over the limit", [UNKNOWN_SIZE, raw(2, 0, 1, 65_536)], /the index 65536, which no/],
  [
    "an index over the limit by its gap",
    [UNKNOWN_SIZE, raw(2, 0, 2, 65_535, 0)],
    /the index 65536, which no/,
  ],
  ["a level of 3", [OPEN, raw(4, 0, 3, 1, 1)], /level 3/],
  ["a block of over 2 MiB", [OPEN, raw(6, 0, 1, 0, 2_097_153, unhex("00"))], /2097153 bytes/],
  ["data beyond a block's end", [OPEN, raw(6, 0, 1, 0, 1, unhex("00 00"))], /beyond the end/],
  [
    "data over the limit",
    [OPEN, raw(6, 0, 1, 0, 70_000, new Uint8Array(65_537))],
    /a part of 65537 bytes/,
  ],
  ["no data", [OPEN, raw(6, 0, 1, 0, 5)], /without data/],
];

const BY_WHAT_CAME_BEFORE: Bad[] = [
  ["a second HELLO", [{ type: "hello", flags: 0 }], /a second hello/],
  ["a number that is not open", [list("have", 0, 1)], /group 0, which is not open/],
  ["a number that was closed", [OPEN, { type: "close", group: 0 }, list("lost", 0, 1)], /not open/],
  ["a number that is open already", [OPEN, open(OTHER.root)], /group 0, which is open already/],
  [
    "an index beyond the sender's own count",
    [OPEN, list("cancel", 0, LEAVES + 1)],
    /index 61 of a group of/,
  ],
  ["a part without a beginning", [UNKNOWN, block(1, 9, 30_000, 2_000)], /not begun/],
  [
    "one CID under two numbers, also in another version",
    [OPEN, open(FILE.root.toV0(), 0, bitsOf(0), 1)],
    /opens Qm\w+ twice/,
  ],
];

const BY_WHAT_IS_KNOWN: Bad[] = [
  ["a count that is not true", [open(FILE.root, 5, bitsOf(5))], /has 5 members/],
  [
    "HAVE beyond the members",
    [open(FILE.root), list("have", 0, LEAVES + 1)],
    /to have member 61 of/,
  ],
  ["LOST beyond the members", [open(FILE.root), list("lost", 0, 70)], /index 70 of .+ 61 members/],
  ["CANCEL beyond the members", [open(FILE.root), list("cancel", 0, 1, 70)], /index 70/],
  ["REQUEST beyond the members", [open(FILE.root), request(0, 61)], /index 61/],
  ["REQUEST of what was not offered", [UNKNOWN, request(0, 2)], /member 2 of .+ not offered/],
  [
    "a block that nobody asked for",
    [OPEN, ...partsOf(0, 1, FILE.members[1]!.bytes)],
    /asked it for/,
  ],
  [
    "a block of an unknown group",
    [UNKNOWN, ...partsOf(0, 1, OTHER.members[1]!.bytes)],
    /nobody asked it for/,
  ],
  [
    "a block of what is here no group",
    [open(OTHER.leaves[0]!), block(0, 0, 9, 9)],
    /nobody asked it for/,
  ],
];

suite("hostile", (test) => {
  const kinds = { BY_ITSELF, BY_WHAT_CAME_BEFORE, BY_WHAT_IS_KNOWN };
  for (const [kind, bads] of Object.entries(kinds)) {
    test(`what must be refused ${kind.toLowerCase().replaceAll("_", " ")} is, and nobody else notices`, async () => {
      await using node = await createSeed(FILE);
      await using honest = await createHonest(node, FILE);
      const before = await storedIn(node);
      for (const [title, said, reason] of bads) {
        await using enemy = await createWirePeer();
        const wire = await enemy.meet(node);
        // What is known of a group is known once it was looked for.
        const first = said[0]!;
        if (kind === "BY_WHAT_IS_KNOWN" && !(first instanceof Uint8Array)) {
          wire.say(first);
          if (said.length > 1 && first.type === "open") await wire.hearOpen(first.cid);
        } else wire.say(first);
        wire.say(...said.slice(1));
        await wire.end().catch((error) => assert.unreachable(`${title}: ${error.message}`));
        const told = node.told.filter((line) => line.includes(enemy.id));
        assert.is(told.length, 1, `${title}: ${told.join("\n")}`);
        assert.match(told[0]!, new RegExp(`^${enemy.id} is not spoken to any more: `), title);
        assert.match(told[0]!, reason, title);
        assert.equal(await honest.read(), true, title);
      }
      assert.is(node.told.length, bads.length);
      assert.equal(await storedIn(node), before);
      assert.not(honest.wire.over);
    });
  }

  test("a frame before HELLO is refused", async () => {
    await using node = await createSeed(FILE);
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node, true);
    wire.say(OPEN);
    await wire.end();
    assert.equal(node.told, [`${enemy.id} is not spoken to any more: open before hello`]);
  });

  test("a stream that ends within a frame is refused, one that ends between two is not", async () => {
    await using node = await createSeed(FILE);
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node);
    wire.say(unhex("0b 06 00"));
    await wire.stream.close();
    await wire.end();
    await using polite = await createWirePeer();
    const leaving = await polite.meet(node);
    leaving.say(OPEN);
    await leaving.hearOpen(FILE.root);
    await leaving.stream.close();
    await leaving.end();
    assert.is(node.told.length, 1);
    assert.match(node.told[0]!, `${enemy.id} is not spoken to any more: a stream that ends within`);
  });

  test("more groups than the limit are refused", async () => {
    await using node = await createSeed(FILE);
    await using honest = await createHonest(node, FILE);
    await using enemy = await createWirePeer();
    const wire = await enemy.meet(node);
    for (let i = 0; i < 1_025; i++) wire.say(open(unknown(FILE, i), 0, bitsOf(0), i));
    await wire.end();
    assert.equal(node.told, [`${enemy.id} is not spoken to any more: more than 1024 groups`]);
    assert.ok(await honest.read());
  });

  test("parts that draw a block out, skip, or change it are refused", async () => {
    const bytes = FILE.members[1]!.bytes;
    const part = (offset: number, length: number, size = bytes.length): Frame => (
      {
        type: "block",
        group: 0,
        index: 1,
        offset,
        size,
        data: bytes.slice(offset, offset + length),
      }
    );
    const bads: [Frame[], RegExp][] = [
      [[part(0, 1)], /a part of 1 bytes, which is not the last/],
      [[part(0, 1_024), part(1_025, 1_024)], /a part at 1025 where 1024 is next/],
      [[part(0, 1_024), part(1_024, 1_024, 2_999)], /changes its size/],
      [[part(0, 1_024), { ...part(1_024, 1_024), index: 2 } as Frame], /part of another block/],
    ];
    for (const [said, reason] of bads) {
      await using node = await createLoopbackNode();
      await using enemy = await createWirePeer();
      const wire = await enemy.meet(node);
      using _reading = read(node, FILE.leaves[0]!, FILE);
      wire.say(OPEN);
      await wire.hear("request");
      wire.say(...said);
      await wire.end();
      assert.match(node.told.join("\n"), reason);
      assert.is(node.told.length, 1);
      assert.equal(await storedIn(node), [String(FILE.root)]);
    }
  });
});

/** Reads a block of a file whose root the node gets beforehand. */
function read(node: LoopbackNode, cid: CID, file: FileBlocks): Disposable {
  const stop = new AbortController();
  const { bytes } = file.members[0]!;
  const reading = (async () => {
    await node.helia.blockstore.put(file.root, bytes);
    await node.blocks.get(file.root);
    await node.blocks.get(cid, { signal: stop.signal });
  })();
  reading.catch(() => undefined); // it is given up in the end
  return { [Symbol.dispose]: () => stop.abort(new Error("enough")) };
}

async function storedIn({ helia }: LoopbackNode): Promise<string[]> {
  const cids: string[] = [];
  for await (const { cid } of helia.blockstore.getAll()) {
    cids.push(
      String(
        FILE.members.find((member) =>
          member.cid.multihash.digest.join() === cid.multihash.digest.join()
        )?.cid ?? cid,
      ),
    );
  }
  return cids.sort();
}
