/** Encrypted messages, however they are cut on their way. */
import { Buffer } from "node:buffer";
import { Uint8ArrayList } from "uint8arraylist";
import * as assert from "uvu/assert";
import { Assembly } from "../../src/swarm/assembly.ts";
import { suite } from "../helpers/suite.ts";

suite("assembly", (test) => {
  test("messages come out as they went in, each in one array, wherever they are cut", () => {
    const sent = [3, 0, 300, 1, 65_535, 20_000].map(messageOf);
    const line = new Uint8ArrayList(...sent).subarray();
    const expected = sent.map((message) => message.slice(2)).filter(({ length }) => length > 0);
    for (const size of [1, 2, 3, 5, 7, 64, 304, 305, 306, 65_536, line.length]) {
      const assembly = new Assembly();
      const heard: Uint8Array[] = [];
      for (let at = 0; at < line.length; at += size) {
        for (const message of assembly.decode(line.subarray(at, at + size))) {
          heard.push(message.slice());
        }
      }
      assert.equal(heard, expected, `cut at every ${size}`);
    }
  });

  test("what was read in several arrays is one line", () => {
    const line = new Uint8ArrayList(messageOf(9).subarray(0, 5), messageOf(9).subarray(5));
    const heard = [...new Assembly().decode(line)];
    assert.equal(heard, [messageOf(9).subarray(2)]);
  });

  test("what comes whole is not copied, and is no Buffer", () => {
    const line = Buffer.from(new Uint8ArrayList(messageOf(9), messageOf(20)).subarray());
    for (const message of new Assembly().decode(line)) {
      assert.is(message.buffer, line.buffer);
      assert.not(message instanceof Buffer);
    }
  });

  test("a small message that came in parts has memory of its own; large ones share theirs", () => {
    const assembly = new Assembly();
    const cut = (length: number) => {
      const message = messageOf(length);
      assert.equal([...assembly.decode(message.subarray(0, 9))], []);
      return [...assembly.decode(message.subarray(9))][0]!;
    };
    assert.is.not(cut(2_000).buffer, cut(2_000).buffer);
    assert.is(cut(20_000).buffer, cut(60_000).buffer);
  });
});

function messageOf(length: number): Uint8Array {
  const message = new Uint8Array(2 + length).map((_, i) => i * 7 + length);
  message[0] = length >> 8;
  message[1] = length;
  return message;
}
