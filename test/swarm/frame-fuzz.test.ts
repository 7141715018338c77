/**
 * A million streams that are wrong, or nearly right: whatever comes, each is a number of frames that say exactly what was sent,
 * and then perhaps a refusal. Case `i` of a seed is always the same.
 */
import process from "node:process";
import * as assert from "uvu/assert";
import { FrameDecoder } from "../../src/swarm/decoder.ts";
import { encodeBlockHeader, encodeFrame, MAX_PART } from "../../src/swarm/frame.ts";
import { decode, hex, join, LONG, SMALL } from "../helpers/frames.ts";
import { release } from "../helpers/garbage.ts";
import { createRandom, type Random } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";

const CASES = 1_000_000;
const SEED = Date.now() | 0;

const small = SMALL.map(encodeFrame);
const long = LONG.map(encodeFrame);

/** Bytes at which something turns. */
const TURNING = [0, 1, 2, 6, 7, 8, 0x7f, 0x80, 0x81, 0xfe, 0xff];

suite("fuzzed frames", (test) => {
  test(`${CASES} streams are frames that say what was sent, or are refused`, () => {
    const seen = { frames: 0, refused: 0, whole: 0 };
    for (let i = 0; i < CASES; i++) {
      const random = createRandom(Math.imul(SEED ^ 0x9e3779b9, 2 * i + 1) ^ i);
      const bytes = stream(random);
      const chunks = cutUp(bytes, random);
      try {
        const { frames, refused } = decode(chunks);
        const again = join(frames.map(encodeFrame));
        if (!begins(bytes, again)) throw new Error("a frame says something else than was sent");
        if (refused === undefined && again.length < bytes.length) {
          throw new Error("bytes were lost");
        }
        const uncut = decode([bytes]);
        if (uncut.refused !== refused) throw new Error(`in one chunk: ${uncut.refused}`);
        if (uncut.frames.length !== frames.length) throw new Error("in one chunk: other frames");
        seen.frames += frames.length;
        seen[refused ? "refused" : "whole"]++;
      } catch (cause) {
        const sizes = chunks.map(({ length }) => length);
        const said = cause instanceof Error ? cause.message : String(cause);
        throw new Error(
          `case ${i} of seed ${SEED}: ${said}\n${hex(bytes.subarray(0, 200))}\nin chunks of ${
            sizes.slice(0, 50)
          }`,
          { cause },
        );
      }
    }
    // Nonsense alone would prove little.
    for (const often of Object.values(seen)) assert.ok(often > CASES / 10, JSON.stringify(seen));
  });

  test("a long stream holds no memory", async () => {
    const decoder = new FrameDecoder();
    const parts: Uint8Array[] = [];
    for (let offset = 0; offset < 16 * MAX_PART; offset += MAX_PART) {
      parts.push(
        encodeBlockHeader(1, 1, offset, 16 * MAX_PART, MAX_PART),
        new Uint8Array(MAX_PART),
      );
    }
    const bytes = join(parts);
    await release();
    const before = process.memoryUsage().rss;
    let received = 0;
    for (let round = 0; round < 500; round++) {
      for (let at = 0; at < bytes.length; at += 50_000) {
        for (const frame of decoder.push(bytes.slice(at, at + 50_000))) {
          if (frame.type === "block") received += frame.data.length;
        }
      }
    }
    decoder.end();
    assert.is(received, 500 * 16 * MAX_PART);
    await release();
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 256 * 1024 * 1024, `${grown} bytes more after ${received} bytes`);
  });
});

/** Some good frames, then one that is not to be trusted, then perhaps another good one. */
function stream(random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let good = random.int(3); good > 0; good--) parts.push(random.pick(small));
  parts.push(suspect(random));
  if (random.chance(0.3)) parts.push(random.pick(small));
  const bytes = join(parts);
  return random.chance(0.1) ? bytes.subarray(0, random.int(bytes.length + 1)) : bytes;
}

function suspect(random: Random): Uint8Array {
  const good = random.chance(0.0005) ? random.pick(long) : random.pick(small);
  switch (random.int(8)) {
    case 0: // nonsense
      return random.bytes(random.int(40));
    case 1: // nonsense of a known type
      return framed(join([Uint8Array.of(random.int(8)), random.bytes(random.int(12))]));
    case 2: // the beginning of one frame and the end of another
      return splice(good, random.pick(small), random);
    case 3:
      return framed(splice(body(good), body(random.pick(small)), random));
    case 4: // the length is wrong now
      return spoil(good, random);
    default:
      return framed(spoil(body(good), random));
  }
}

/** A few bytes of it become others, or come in, or are left out. */
function spoil(good: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = good.slice();
  for (let wrong = 1 + random.int(3); wrong > 0; wrong--) {
    // Most of what decides stands at the beginning.
    const at = random.int(random.chance(0.5) ? Math.min(bytes.length, 12) : bytes.length);
    switch (random.int(6)) {
      case 0:
        bytes[at]! ^= 1 << random.int(8);
        break;
      case 1:
        bytes[at] = random.int(256);
        break;
      case 2:
        bytes = join([
          bytes.subarray(0, at),
          Uint8Array.of(random.pick(TURNING)),
          bytes.subarray(at),
        ]);
        break;
      case 3:
        bytes = join([bytes.subarray(0, at), bytes.subarray(at + 1 + random.int(3))]);
        break;
      default:
        bytes[at] = random.pick(TURNING);
    }
  }
  return bytes;
}

function splice(one: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  return join([
    one.subarray(0, random.int(one.length + 1)),
    other.subarray(random.int(other.length + 1)),
  ]);
}

/** A frame without its length. */
function body(frame: Uint8Array): Uint8Array {
  return frame.subarray(frame.findIndex((byte) => byte < 0x80) + 1);
}

function framed(body: Uint8Array): Uint8Array {
  const length: number[] = [];
  let left = body.length;
  for (; left >= 0x80; left >>>= 7) length.push(left & 0x7f | 0x80);
  return join([Uint8Array.of(...length, left), body]);
}

function cutUp(bytes: Uint8Array, random: Random): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const most = random.pick([1, 4, 16, 64, 64, 50_000]) * Math.ceil((bytes.length + 1) / 1_000);
  for (let at = 0; at < bytes.length;) {
    const end = at + random.int(most + 1);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

function begins(bytes: Uint8Array, beginning: Uint8Array): boolean {
  if (beginning.length > bytes.length) return false;
  for (let i = 0; i < beginning.length; i++) if (bytes[i] !== beginning[i]) return false;
  return true;
}
