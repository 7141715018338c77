/** The protocol's document is held to the code: each of its examples is the frame that it says, and its limits are the limits. */
import { readFileSync } from "node:fs";
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import * as limits from "../../src/swarm/frame.ts";
import { encodeFrame, type Frame, PUBLISHES, TYPES, WANTING } from "../../src/swarm/frame.ts";
import { MAX_NUMBER } from "../../src/swarm/varint.ts";
import { utf8 } from "../helpers/bytes.ts";
import { decode, hex, unhex } from "../helpers/frames.ts";
import { suite } from "../helpers/suite.ts";

const doc = readFileSync(new URL("../../docs/swarm-protocol.md", import.meta.url), "utf8");
const cid = CID.parse("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");

/** What the examples below each heading say. */
const EXAMPLES: Record<string, Frame[]> = {
  HELLO: [{ type: "hello", flags: PUBLISHES }],
  OPEN: [
    { type: "open", group: 5, cid, flags: WANTING, count: 10, bits: Uint8Array.of(0x07, 0x02) },
    { type: "open", group: 0, cid, flags: 0, count: 0, bits: new Uint8Array() },
  ],
  HAVE: [{ type: "have", group: 5, indices: [3, 4, 9] }],
  LOST: [{ type: "lost", group: 5, indices: [9] }],
  REQUEST: [{ type: "request", group: 5, level: 1, indices: [3, 4, 200] }],
  CANCEL: [{ type: "cancel", group: 5, indices: [200] }],
  BLOCK: [
    { type: "block", group: 300, index: 4, offset: 0, size: 8, data: utf8("hello") },
    { type: "block", group: 300, index: 4, offset: 5, size: 8, data: utf8("you") },
  ],
  CLOSE: [{ type: "close", group: 300 }],
};

suite("the swarm protocol's document", (test) => {
  for (const [name, frames] of Object.entries(EXAMPLES)) {
    test(`${name}: its examples are what is sent`, () => {
      const shown = examples(name);
      assert.equal(shown.map(hex), frames.map((frame) => hex(encodeFrame(frame))));
      const read = decode(shown);
      assert.is(read.refused, undefined);
      assert.equal(read.frames.map(({ type }) => type), frames.map(({ type }) => type));
    });
  }

  test("it has a section and a number for every type of frame, and no others", () => {
    const headings = [...doc.matchAll(/^### ([A-Z]+)$/gm)].map(([, name]) => name);
    assert.equal(headings, Object.keys(EXAMPLES));
    const table = [...doc.matchAll(/^\| (\d+) +\| ([A-Z]+) /gm)].map(([, type, name]) => [
      name!.toLowerCase(),
      Number(type),
    ]);
    assert.equal(table, Object.entries(TYPES));
  });

  test("its limits are the limits", () => {
    const rows = [...doc.matchAll(/^\| ([^|]*[^|\s]) *\| +([\d,]+|2\^31 - 1) \|$/gm)];
    const told = Object.fromEntries(rows.map(([, what, most]) => [
      what,
      most === "2^31 - 1" ? 2 ** 31 - 1 : Number(most!.replaceAll(",", "")),
    ]));
    assert.equal(told, {
      "length of a frame, in bytes after the length itself": limits.MAX_FRAME,
      "bytes of the length itself": 3,
      "number": MAX_NUMBER,
      "CID, in bytes": limits.MAX_CID,
      "members of a group, indices in a list": limits.MAX_MEMBERS,
      "groups that one side has open at a time": limits.MAX_GROUPS,
      "data in one BLOCK, in bytes": limits.MAX_PART,
      "size of a block, in bytes": limits.MAX_BLOCK,
      "level": 2,
    });
  });

  test("it names the protocol", () => {
    assert.ok(doc.includes(`\`${limits.PROTOCOL}\``));
  });
});

/** The bytes of the examples in a section: what stands before two spaces in each line of a block. */
function examples(name: string): Uint8Array[] {
  const [, section = ""] = doc.split(`\n### ${name}\n`);
  const [own = ""] = section.split(/^##/m);
  return [...own.matchAll(/```text\n([^]*?)```/g)].map(([, lines]) =>
    unhex(lines!.replace(/ {2}.*$/gm, ""))
  );
}
