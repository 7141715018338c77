/** The frames of the swarm protocol: what is written is read, however it arrives, and what is wrong is refused. */
import { Buffer } from "node:buffer";
import { CID } from "multiformats/cid";
import { create } from "multiformats/hashes/digest";
import * as assert from "uvu/assert";
import { FrameDecoder } from "../../src/swarm/decoder.ts";
import {
  encodeBlockHeader,
  encodeFrame,
  type Frame,
  MAX_BLOCK,
  MAX_FRAME,
  MAX_PART,
  type OpenFrame,
  WireError,
} from "../../src/swarm/frame.ts";
import { cut, decode, hex, join, LONG, single, SMALL, unhex } from "../helpers/frames.ts";
import { suite } from "../helpers/suite.ts";

const SITE = CID.parse("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");
/** As it stands in OPEN, its length first. */
const CID_HEX = `24 ${hex(SITE.bytes)}`;

/** A frame of this body, as it is sent. */
function framed(body: string): string {
  const { length } = unhex(body);
  const prefix = [length & 127, length >> 7 & 127, length >> 14];
  while (prefix.length > 1 && prefix.at(-1) === 0) prefix.pop();
  for (let i = 0; i < prefix.length - 1; i++) prefix[i]! |= 128;
  return hex(Uint8Array.from(prefix)) + body;
}

const long = (times: number) => "61".repeat(times);

/** What is refused, by the words that say why. */
const REFUSED: [why: RegExp, what: string, bytes: string][] = [
  [/^a frame of 65601 bytes/, "a frame over the limit", "c1 80 04" + long(65_601)],
  [/^a frame of 2097151 bytes/, "the longest length that can be told", "ff ff 7f"],
  [/^a frame without a type/, "a frame of no bytes", "00"],
  [/^a length in more bytes than it needs/, "a length in two bytes for one", "82 00 07 01"],
  [/^a length of more than three bytes/, "a length in four bytes", "82 80 80 00 07 01"],
  [/^a frame of the unknown type 8/, "an unknown type", "02 08 00"],
  [/^a frame of the unknown type 255/, "the last of the unknown types", "02 ff 00"],
  [/^a frame that ends too early/, "a frame that is its type alone", "01 07"],
  [/^a frame that ends too early/, "a number that the frame cuts off", "03 07 ff ff 07"],
  [/^a number in more bytes than it needs/, "a number in two bytes for one", "03 07 81 00"],
  [/^a number of more than 31 bits/, "a number of 32 bits", "06 07 ff ff ff ff 08"],
  [/^a number of more than five bytes/, "a number in six bytes", "07 07 ff ff ff ff ff 00"],
  [/^1 bytes after the end/, "a byte after HELLO", "03 00 00 00"],
  [
    /^65598 bytes after the end/,
    "the longest frame, of which little is used",
    framed("00 00" + long(65_598)),
  ],
  [/^2 bytes after the end/, "bytes after CLOSE", "04 07 01 01 01"],
  [/^1 bytes after the end/, "a byte after a list", framed("02 01 01 05 00")],

  [/^a CID of 129 bytes/, "a long CID", framed("01 01 00 81 01 01 55 12 7d" + long(130) + "00")],
  [/^a CID that cannot be read/, "a CID of nothing", framed("01 01 00 00 00")],
  [/^a CID that cannot be read/, "a CID of version 2", framed("01 01 00 04 02 55 12 00 00")],
  [
    /^a CID that cannot be read/,
    "a CID with a byte too many",
    framed("01 01 00 05 01 55 12 00 61 00"),
  ],
  [/^an identity CID/, "a CID that is its own data", framed("01 01 00 06 01 55 00 02 61 61 00")],
  [/^a CID of version 0 that/, "a version 0 of a short hash", framed("01 01 00 03 12 01 61 00")],
  [/^a CID in another form/, "a version 0 told", framed(`01 01 00 24 00 70 12 20 ${long(32)} 00`)],
  [/^a frame that ends too early/, "a CID that the frame cuts off", framed("01 01 00 24 01 55")],
  [/^1 bytes of bits for 9/, "too few bits", framed(`01 01 00 ${CID_HEX} 09 01`)],
  [/^2 bytes of bits for 8/, "too many bits", framed(`01 01 00 ${CID_HEX} 08 01 00`)],
  [/^1 bytes of bits for 0/, "bits of no members", framed(`01 01 00 ${CID_HEX} 00 01`)],
  [
    /^a group of 65537 members/,
    "too many members",
    framed(`01 01 00 ${CID_HEX} 81 80 04 ${"ff".repeat(8192)} 01`),
  ],
  [/^bits beyond the last/, "a bit that stands for nobody", framed(`01 01 00 ${CID_HEX} 03 09`)],
  [/^a count of members from who/, "no first member", framed(`01 01 00 ${CID_HEX} 03 02`)],

  [/^a list without indices/, "an empty HAVE", framed("02 01 00")],
  [/^a list without indices/, "an empty LOST", framed("03 01 00")],
  [/^a list without indices/, "an empty REQUEST", framed("04 01 00 00")],
  [/^a list without indices/, "an empty CANCEL", framed("05 01 00")],
  [/^a list of 65537 indices/, "a list that is too long", framed("02 01 81 80 04 00")],
  [/^a frame that ends too early/, "a list that is cut off", framed("02 01 03 00 00")],
  [/^the index 65536/, "an index that no group has", framed("02 01 01 80 80 04")],
  [/^the index 65536/, "an index beyond the last", framed("02 01 02 ff ff 03 00")],
  [/^the index 2147483647/, "the highest index", framed("02 01 03 ff ff ff ff 07 00 00")],
  [/^a request of level 3/, "a level that is not there", framed("04 01 03 01 00")],

  [/^a block of 2097153 bytes/, "a block that is too long", framed("06 01 00 00 81 80 80 01 61")],
  [/^data beyond the end/, "data beyond the end", framed("06 01 00 02 03 61 61")],
  [/^data beyond the end/, "data of an empty block", framed("06 01 00 00 00 61")],
  [/^data beyond the end/, "an empty block with an offset", framed("06 01 00 01 00")],
  [/^a part without data/, "a part without data", framed("06 01 00 00 03")],
  [/^a part without data/, "a part without data, at the end", framed("06 01 00 03 03")],
  [/^the index 65536/, "a block that no group has", framed("06 01 80 80 04 00 01 61")],
  [
    /^a part of 65537 bytes/,
    "a part that is too long",
    framed("06 01 00 00 81 80 08" + long(65_537)),
  ],
  [/^a frame that ends too early/, "a BLOCK without a size", framed("06 01 00 00")],
  [/^a number of more than five/, "a BLOCK of endless numbers", framed("06 " + "ff".repeat(40))],
  [
    /^a number of more than five/,
    "a BLOCK with a long number",
    framed("06 ffffffffff00 00 00 01 61"),
  ],
  [/^a number in more bytes/, "a BLOCK with a padded number", framed("06 01 00 8000 01 61")],

  [/^a stream that ends within a frame/, "the end in a length", "81"],
  [/^a stream that ends within a frame/, "the end after a length", "02"],
  [/^a stream that ends within a frame/, "the end in a frame", "03 00"],
  [/^a stream that ends within a frame/, "the end in a BLOCK's numbers", "08 06 01 00"],
  [/^a stream that ends within a frame/, "the end after a BLOCK's numbers", "08 06 01 00 00 03"],
  [/^a stream that ends within a frame/, "the end in a BLOCK's data", "08 06 01 00 00 03 61 61"],
];

suite("frames", (test) => {
  for (const frame of [...SMALL, ...LONG]) {
    const bytes = encodeFrame(frame);
    test(`${frame.type} of ${bytes.length} bytes is read as it was written`, () => {
      assert.ok(bytes.length <= MAX_FRAME + 3);
      for (const chunks of [[bytes], single(bytes), cut(bytes, bytes.length >> 1)]) {
        const { frames, refused } = decode(chunks);
        assert.is(refused, undefined);
        same(frames, [frame]);
      }
    });
  }

  test("frames are the same however they are cut", () => {
    const bytes = join(SMALL.map(encodeFrame));
    same(decode([bytes]).frames, SMALL);
    same(decode(single(bytes)).frames, SMALL);
    const want = bytesOf(SMALL);
    for (let first = 0; first <= bytes.length; first++) {
      // What lies between two cuts is short: a chunk within a header, and chunks that have nothing.
      for (let second = first; second <= Math.min(bytes.length, first + 24); second++) {
        const { frames, refused } = decode(cut(bytes, first, second));
        if (refused || bytesOf(frames) !== want) {
          assert.unreachable(`cut at ${first} and ${second}: ${refused ?? "other frames"}`);
        }
      }
    }
  });

  test("the end may be cut off at a frame's end and nowhere else", () => {
    const parts = SMALL.map(encodeFrame);
    const bytes = join(parts);
    const ends = new Set([0]);
    parts.reduce((at, part) => (ends.add(at + part.length), at + part.length), 0);
    for (let end = 0; end <= bytes.length; end++) {
      const { refused } = decode([bytes.subarray(0, end)]);
      assert.is(refused, ends.has(end) ? undefined : "a stream that ends within a frame");
    }
  });

  test("data is a view of its chunk, and a copy only where it lies in several", () => {
    const data = Uint8Array.from({ length: 50 }, (_, i) => i);
    const frame: Frame = { type: "block", group: 500, index: 300, offset: 0, size: 50, data };
    const bytes = join([encodeFrame(frame), encodeFrame({ type: "close", group: 500 })]);
    const begin = encodeBlockHeader(500, 300, 0, 50, 50).length;
    for (let at = 0; at <= bytes.length; at++) {
      const chunks = [...cut(bytes, at)];
      const [block] = decode(chunks).frames;
      assert.is(block?.type, "block");
      if (block?.type !== "block") return;
      assert.equal([...block.data], [...data]);
      const inOne = at <= begin || at >= begin + 50;
      const views = chunks.some(({ buffer }) => buffer === block.data.buffer);
      assert.is(views, inOne, `cut at ${at} of ${begin} and ${begin + 50}`);
    }
  });

  test("data in several chunks goes where its reader has room, and nowhere if it is not wanted", () => {
    const data = Uint8Array.from({ length: 50 }, (_, i) => i);
    const bytes = encodeFrame({ type: "block", group: 5, index: 3, offset: 10, size: 60, data });
    const block = new Uint8Array(60);
    const find = (room: Uint8Array | undefined) => {
      const asked: number[][] = [];
      const decoder = new FrameDecoder(({ group, index, offset, size }, length) => {
        asked.push([group, index, offset, size, length]);
        return room;
      });
      const frames = [bytes.subarray(0, 30), bytes.subarray(30)].flatMap((
        c,
      ) => [...decoder.push(c)]);
      assert.equal(asked, [[5, 3, 10, 60, 50]]);
      return frames;
    };
    const [kept] = find(block.subarray(10));
    assert.ok(kept?.type === "block" && kept.data.buffer === block.buffer);
    assert.equal([...block.subarray(10)], [...data]);
    const [dropped, ...more] = find(undefined);
    assert.ok(dropped?.type === "block" && dropped.data.length === 0);
    assert.equal(more, []);
  });

  test("what a frame keeps beside data outlives its chunk", () => {
    for (const open of SMALL.filter((frame) => frame.type === "open")) {
      for (const chunk of [encodeFrame(open), Buffer.from(encodeFrame(open))]) {
        const { frames } = decode([chunk]);
        chunk.fill(0xee);
        same(frames, [open]);
      }
    }
  });

  test("frames before a wrong one are given, and nothing after it is read", () => {
    const decoder = new FrameDecoder();
    const given: Frame[] = [];
    assert.throws(() => {
      for (const frame of decoder.push(unhex("02 00 01  02 07 05  02 08 00  02 07 05"))) {
        given.push(frame);
      }
    }, /unknown type 8/);
    same(given, [{ type: "hello", flags: 1 }, { type: "close", group: 5 }]);
    assert.throws(() => [...decoder.push(unhex("02 07 05"))], isWireError);
    assert.throws(() => decoder.end(), isWireError);
  });

  test("a chunk that is left before its end makes the decoder useless, and not wrong", () => {
    const decoder = new FrameDecoder();
    for (const frame of decoder.push(unhex("02 00 01  02 07 05"))) {
      assert.is(frame.type, "hello");
      break;
    }
    assert.throws(() => [...decoder.push(unhex("02 07 05"))], /not read to its end/);
  });

  test("a wrong BLOCK is refused before its data comes", () => {
    const read = (bytes: string) => [...new FrameDecoder().push(unhex(bytes))];
    assert.throws(() => read("ff ff 03 06 01 00 00 05"), /beyond the end/);
    assert.throws(() => read("ff ff 03 06" + "ff".repeat(20)), /more than five bytes/);
  });

  for (const [why, what, bytes] of REFUSED) {
    test(`refused: ${what}`, () => {
      for (const chunks of [[unhex(bytes)], single(unhex(bytes)), cut(unhex(bytes), 5)]) {
        const { frames, refused = "nothing was refused" } = decode(chunks);
        assert.match(refused, why);
        assert.is(frames.length, 0);
      }
    });
  }

  test("what would be refused is not sent", () => {
    const block = { type: "block", group: 1, index: 0, offset: 0 } as const;
    const open: OpenFrame = {
      type: "open",
      group: 1,
      cid: SITE,
      flags: 0,
      count: 3,
      bits: Uint8Array.of(1),
    };
    const identity = CID.createV1(0x55, create(0, Uint8Array.of(1)));
    const lengthy = CID.createV1(0x55, create(0x12, new Uint8Array(125)));
    const sha3 = create(0x16, new Uint8Array(32));
    const wrong: [Frame, RegExp][] = [
      [{ type: "hello", flags: -1 }, /out of range/],
      [{ type: "hello", flags: 2 ** 31 }, /out of range/],
      [{ type: "close", group: 1.5 }, /out of range/],
      [{ type: "have", group: 1, indices: [] }, /without indices/],
      [{ type: "have", group: 1, indices: [2, 1] }, /out of order/],
      [{ type: "have", group: 1, indices: [1, 1] }, /out of order/],
      [{ type: "have", group: 1, indices: [65_536] }, /the index 65536/],
      [{ type: "request", group: 1, level: 3 as 2, indices: [1] }, /level 3/],
      [{ ...open, bits: Uint8Array.of(1, 0) }, /2 bytes of bits/],
      [{ ...open, bits: Uint8Array.of(9) }, /bits beyond/],
      [{ ...open, bits: Uint8Array.of(2) }, /the first/],
      [{ ...open, cid: identity }, /identity/],
      [{ ...open, cid: lengthy }, /129 bytes/],
      [{ ...open, cid: new CID(0, 0x70, sha3, sha3.bytes) }, /version 0 that is no SHA-256/],
      [{ ...block, size: 0, data: Uint8Array.of(1) }, /beyond/],
      [{ ...block, size: MAX_BLOCK + 1, data: Uint8Array.of(1) }, /a block of/],
      [{ ...block, size: MAX_BLOCK, data: new Uint8Array(MAX_PART + 1) }, /a part of/],
    ];
    for (const [frame, why] of wrong) assert.throws(() => encodeFrame(frame), why);
  });
});

const bytesOf = (frames: Frame[]) => frames.map((frame) => hex(encodeFrame(frame))).join();

/** Frames that say the same; only the CID's caches may differ. */
function same(found: Frame[], wanted: Frame[]): void {
  const plain = (frame: Frame) =>
    frame.type === "open"
      ? { ...frame, cid: hex(frame.cid.bytes), hash: hex(frame.cid.multihash.bytes) }
      : frame;
  assert.equal(found.map(plain), wanted.map(plain));
}

function isWireError(error: unknown): boolean {
  return error instanceof WireError;
}
