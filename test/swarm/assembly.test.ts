/** Encrypted messages, however they are cut on their way. */
import { Uint8ArrayList } from "uint8arraylist";
import * as assert from "uvu/assert";
import { Assembly } from "../../src/swarm/assembly.ts";
import { suite } from "../helpers/suite.ts";

suite("assembly", (test) => {
  test("messages come out as they went in, each in one array, wherever they are cut", () => {
    const sent = [messageOf(3), messageOf(0), messageOf(300), messageOf(1), messageOf(65_535)];
    const line = new Uint8ArrayList(...sent).subarray();
    for (const size of [1, 2, 3, 5, 7, 64, 304, 305, 306, 65_536, line.length]) {
      const assembly = new Assembly();
      const heard: Uint8Array[] = [];
      for (let at = 0; at < line.length; at += size) {
        for (const whole of assembly.take(line.subarray(at, at + size))) {
          heard.push(...split(whole));
        }
      }
      assert.equal(heard.map(({ length }) => length), sent.map(({ length }) => length));
      assert.equal(new Uint8ArrayList(...heard).subarray(), line, `cut at every ${size}`);
      assert.is(assembly.release().length, 0);
    }
  });

  test("what comes whole is not copied", () => {
    const line = new Uint8ArrayList(messageOf(9), messageOf(20)).subarray();
    const [whole, ...more] = new Assembly().take(line);
    assert.is(whole!.buffer, line.buffer);
    assert.is(whole!.length, line.length);
    assert.equal(more, []);
  });

  test("what is here of a message can be had back, and is given once", () => {
    for (const length of [1, 2, 6]) {
      const assembly = new Assembly();
      const message = messageOf(9);
      assert.is(assembly.take(message.subarray(0, length)).length, 0);
      assert.equal(assembly.release(), message.subarray(0, length));
      assert.equal(assembly.take(message).subarray(), message);
    }
  });
});

function messageOf(length: number): Uint8Array {
  const message = new Uint8Array(2 + length).map((_, i) => i * 7 + length);
  message[0] = length >> 8;
  message[1] = length;
  return message;
}

/** The messages that lie in one array, one after another and whole. */
function split(whole: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (let at = 0; at < whole.length;) {
    const end = at + 2 + (whole[at]! << 8 | whole[at + 1]!);
    assert.ok(end <= whole.length);
    messages.push(whole.subarray(at, at = end));
  }
  return messages;
}
