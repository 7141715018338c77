/** What a frame may say depends on the frames before it. */
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { Conversation } from "../../src/swarm/conversation.ts";
import { type Frame, MAX_GROUPS, WireError } from "../../src/swarm/frame.ts";
import { suite } from "../helpers/suite.ts";

const SITE = CID.parse("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");

const hello: Frame = { type: "hello", flags: 0 };
const open = (group: number, count = 20): Frame => ({
  type: "open",
  group,
  cid: SITE,
  flags: 0,
  count,
  bits: Uint8Array.from({ length: Math.ceil(count / 8) }, (_, i) => i === 0 ? 1 : 0),
});
const close = (group: number): Frame => ({ type: "close", group });
const part = (group: number, index: number, offset: number, length: number, size = 9): Frame => ({
  type: "block",
  group,
  index,
  offset,
  size,
  data: new Uint8Array(length),
});
const list = (type: "have" | "lost" | "cancel", group: number, ...indices: number[]): Frame => ({
  type,
  group,
  indices,
});
const request = (group: number, ...indices: number[]): Frame => ({
  type: "request",
  group,
  level: 1,
  indices,
});

const MANY = Array.from({ length: MAX_GROUPS }, (_, group) => open(group));

const ALLOWED: Record<string, Frame[]> = {
  "HELLO alone": [hello],
  "everything about an open group": [
    hello,
    open(7),
    list("have", 7, 1, 19),
    list("lost", 7, 1),
    request(7, 0, 19),
    list("cancel", 7, 19),
    part(7, 19, 0, 9),
    close(7),
  ],
  "a number that is free again": [hello, open(7), close(7), open(7), list("have", 7, 1)],
  "as many groups as there may be": [hello, ...MANY, close(5), open(5_000)],
  "any index where the members are not known": [hello, open(7, 0), request(7, 65_535)],
  "a block in parts, with other things between": [
    hello,
    open(7),
    part(7, 3, 0, 4),
    list("have", 7, 1),
    open(8),
    part(7, 3, 4, 1),
    close(8),
    part(7, 3, 5, 4),
    part(7, 4, 0, 9),
  ],
  "a block given up for another": [
    hello,
    open(7),
    open(8),
    part(7, 3, 0, 4),
    part(8, 3, 0, 4, 5),
    part(8, 3, 4, 1, 5),
  ],
  "a block begun again": [hello, open(7), part(7, 3, 0, 4), part(7, 3, 0, 6), part(7, 3, 6, 3)],
  "an empty block": [hello, open(7), part(7, 3, 0, 0, 0), part(7, 3, 0, 0, 0)],
};

/** The last frame is the wrong one. */
const REFUSED: [what: string, why: RegExp, frames: Frame[]][] = [
  ["OPEN before HELLO", /^open before hello/, [open(7)]],
  ["CLOSE before HELLO", /^close before hello/, [close(7)]],
  ["a second HELLO", /^a second hello/, [hello, hello]],
  ["a second HELLO, later", /^a second hello/, [hello, open(7), close(7), hello]],
  ["a number opened twice", /^group 7, which is open already/, [hello, open(7), open(7)]],
  ["a group too many", /^more than 1024 groups/, [hello, ...MANY, open(5_000)]],
  ...[list("have", 7, 1), list("lost", 7, 1), request(7, 1), list("cancel", 7, 1), close(7)].map(
    (frame): [string, RegExp, Frame[]] => [
      `${frame.type} of a group that is not open`,
      /^group 7, which is not open/,
      [hello, open(8), frame],
    ],
  ),
  ["BLOCK of a group that is not open", /^group 7, which is not/, [hello, part(7, 1, 0, 9)]],
  ["HAVE of a closed group", /^group 7,/, [hello, open(7), close(7), list("have", 7, 1)]],
  ["HAVE of nobody", /^index 20 of a group of 20/, [hello, open(7), list("have", 7, 1, 20)]],
  ["REQUEST of nobody", /^index 20 of a group of 20/, [hello, open(7), request(7, 20)]],
  ["BLOCK of nobody", /^index 20 of a group of 20/, [hello, open(7), part(7, 20, 0, 9)]],
  ["a later part first", /^a part of a block that was not begun/, [
    hello,
    open(7),
    part(7, 1, 4, 5),
  ]],
  [
    "a part after the last",
    /^a part of a block that was not begun/,
    [hello, open(7), part(7, 1, 0, 9), part(7, 1, 4, 5)],
  ],
  [
    "a part after an empty block",
    /^a part of a block that was not begun/,
    [hello, open(7), part(7, 1, 0, 0, 0), part(7, 1, 4, 5)],
  ],
  [
    "a part left out",
    /^a part at 5 where 4 is next/,
    [hello, open(7), part(7, 1, 0, 4), part(7, 1, 5, 4)],
  ],
  [
    "a part sent twice",
    /^a part at 4 where 6 is next/,
    [hello, open(7), part(7, 1, 0, 4), part(7, 1, 4, 2), part(7, 1, 4, 2)],
  ],
  [
    "parts of two members interleaved",
    /^a part of another block/,
    [hello, open(7), part(7, 1, 0, 4), part(7, 2, 4, 5)],
  ],
  [
    "parts of two groups interleaved",
    /^a part of another block/,
    [hello, open(7), open(8), part(7, 1, 0, 4), part(8, 1, 4, 5)],
  ],
  [
    "a block given up and then gone on with",
    /^a part of another block/,
    [hello, open(7), part(7, 1, 0, 4), part(7, 2, 0, 4), part(7, 1, 4, 5)],
  ],
  [
    "a block that changes its size",
    /^a block that changes its size/,
    [hello, open(7), part(7, 1, 0, 4), part(7, 1, 4, 5, 10)],
  ],
  [
    "a block gone on with after its group was closed and its number used again",
    /^a part of a block that was not begun/,
    [hello, open(7), part(7, 1, 0, 4), close(7), open(7), part(7, 1, 4, 5)],
  ],
];

suite("conversation", (test) => {
  for (const [what, frames] of Object.entries(ALLOWED)) {
    test(`allowed: ${what}`, () => {
      const conversation = new Conversation();
      for (const frame of frames) conversation.check(frame);
    });
  }

  for (const [what, why, frames] of REFUSED) {
    test(`refused: ${what}`, () => {
      const conversation = new Conversation();
      for (const frame of frames.slice(0, -1)) conversation.check(frame);
      assert.throws(
        () => conversation.check(frames.at(-1)!),
        (error: unknown) => error instanceof WireError && why.test(error.message),
      );
    });
  }
});
