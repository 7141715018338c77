/** DNS messages to the byte: what another's decoder reads of ours, and what ours makes of nonsense. */
import { Buffer } from "node:buffer";
import { execFileSync } from "node:child_process";
import process from "node:process";
import * as dns from "dns-packet";
import * as assert from "uvu/assert";
import {
  CLASS,
  decodeText,
  encodeMessage,
  encodeName,
  encodeQuestion,
  encodeRecord,
  encodeText,
  isName,
  isWithin,
  parseMessage,
  TYPE,
} from "../../src/name/dns-message.ts";
import { suite } from "../helpers/suite.ts";

const NAME = "_dnslink.Docs.example.org";
const OWNER = encodeName(NAME);

/** A program that reads a message may take so long, in milliseconds; one that turns in circles takes for ever. */
const CHILD_MS = 20_000;

function txt(data: Buffer): Buffer {
  return encodeRecord(OWNER, { type: TYPE.TXT, class: CLASS.IN, ttl: 60, data });
}

function answer(...records: Buffer[]): Buffer {
  return encodeMessage(7, 0x8400, [[encodeQuestion(OWNER, TYPE.TXT)], records, [], []]);
}

suite("name/dns-message", (test) => {
  test("others read what it writes, and it reads what others write", () => {
    const texts = ["", "dnslink=/ipfs/bafkqaaa", "ü".repeat(400)];
    const bytes = answer(...texts.map((text) => txt(encodeText(text))));
    const { id, flag_aa, questions, answers } = dns.decode(bytes);
    assert.equal([id, flag_aa, questions![0]!.name], [7, true, NAME]);
    const read = answers!.map((record) =>
      record.type === "TXT" && record.ttl === 60 && record.data
    );
    assert.equal(read.map((parts) => Buffer.concat(parts as Buffer[]).toString()), texts);

    const theirs = parseMessage(dns.encode({
      type: "response",
      id: 9,
      questions: [{ type: "TXT", name: NAME }],
      answers: texts.map((text) => ({ type: "TXT", name: NAME, ttl: 5, data: strings(text) })),
      authorities: [{ type: "NS", name: "example.org", ttl: 5, data: "ns.example.org" }],
    }))!;
    assert.equal([theirs.id, theirs.questions[0]!.name, theirs.rcode], [9, NAME, 0]);
    assert.equal(theirs.answers.map(({ data }) => decodeText(data)), texts);
    assert.is(theirs.authorities[0]!.name, "example.org");
  });

  test("names are followed through pointers, and a label's own dots stay in it", () => {
    const pointer = Buffer.of(0xc0, 12);
    const data = encodeText("x");
    const record = { type: TYPE.TXT, class: CLASS.IN, ttl: 0, data };
    const below = Buffer.concat([Buffer.of(3), Buffer.from("a.b"), pointer]);
    const message = parseMessage(
      answer(encodeRecord(pointer, record), encodeRecord(below, record)),
    );
    assert.equal(message!.answers.map(({ name }) => name), [NAME, `a\\046b.${NAME}`]);
  });

  test("nonsense is no message", () => {
    const good = answer(txt(encodeText("x")));
    assert.ok(parseMessage(good));
    for (let length = 0; length < good.length; length++) {
      assert.is(parseMessage(good.subarray(0, length)), undefined, `cut at ${length}`);
    }
    const promising = Buffer.from(good);
    promising.writeUInt16BE(9, promising.length - 4);
    const crowded = Buffer.from(good);
    crowded.writeUInt16BE(0xffff, 8);
    const cases: [string, Buffer][] = [
      ["more behind it", Buffer.concat([good, Buffer.of(0)])],
      ["data that promises more than there is", promising],
      ["65,535 records that are not there", crowded],
      ["a name over 255 bytes", question(Buffer.concat(Array(5).fill(label(60))))],
      ["a pointer forwards", question(Buffer.of(0xc0, 0xff))],
      ["a label of an unknown kind", question(Buffer.of(0x80, 1, 1))],
      ["a label that is its own parent", question(Buffer.concat([label(3), Buffer.of(0xc0, 12)]))],
    ];
    for (const [what, bytes] of cases) assert.is(parseMessage(bytes), undefined, what);
    assert.is(decodeText(Buffer.of(5, 65)), undefined);
  });

  test("pointers that bite their own tail end the reading, not the program", () => {
    const loops = [question(Buffer.of(0xc0, 12)), question(Buffer.of(0xc0, 14, 0xc0, 12))];
    const source = new URL("../../src/name/dns-message.ts", import.meta.url).href;
    const program = `
      import { parseMessage } from ${JSON.stringify(source)};
      for (const hex of ${JSON.stringify(loops.map((loop) => loop.toString("hex")))}) {
        console.log(parseMessage(Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16))));
      }`;
    const args = process.versions.deno ? ["eval", program] : ["--input-type=module", "-e", program];
    const said = execFileSync(process.execPath, args, { timeout: CHILD_MS, stdio: "pipe" });
    assert.equal(String(said).trim().split("\n"), ["undefined", "undefined"]);
  });

  test("names as a person writes them", () => {
    for (const name of [NAME, "org", "example.org.", `${"a".repeat(63)}.org`]) {
      assert.ok(isName(name));
    }
    for (
      const name of [
        "",
        ".",
        "a..b",
        ".a",
        "ü.org",
        "a b",
        `${"a".repeat(64)}.org`,
        "a.".repeat(140),
      ]
    ) {
      assert.not.ok(isName(name), name);
      assert.throws(() => encodeName(name), RangeError);
    }
    assert.ok(isWithin("a.example.org", "example.org") && isWithin("org", ""));
    assert.not.ok(isWithin("anexample.org", "example.org") || isWithin("org", "example.org"));
  });
});

/** A question for this name, whatever it is. */
function question(name: Buffer): Buffer {
  return encodeMessage(7, 0, [[encodeQuestion(name, TYPE.TXT)], [], [], []]);
}

function label(length: number): Buffer {
  return Buffer.concat([Buffer.of(length), Buffer.alloc(length, "a")]);
}

function strings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from(
    { length: Math.max(1, Math.ceil(bytes.length / 255)) },
    (_, n) => bytes.subarray(255 * n, 255 * (n + 1)),
  );
}
