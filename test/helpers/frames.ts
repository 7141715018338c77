/** Frames of every kind, and what a decoder makes of bytes. */
import { CID } from "multiformats/cid";
import { FrameDecoder } from "../../src/swarm/decoder.ts";
import {
  type Frame,
  MAX_BLOCK,
  MAX_MEMBERS,
  MAX_PART,
  PUBLISHES,
  WANTING,
  WireError,
} from "../../src/swarm/frame.ts";

const CIDS = {
  version0: CID.parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"),
  version1: CID.parse("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"),
};
const BIGGEST = 2 ** 31 - 1;

/** Small frames: one of each kind, and the edges of each. */
export const SMALL: Frame[] = [
  { type: "hello", flags: PUBLISHES },
  { type: "open", group: 0, cid: CIDS.version1, flags: 0, count: 0, bits: new Uint8Array() },
  {
    type: "open",
    group: 127,
    cid: CIDS.version0,
    flags: WANTING,
    count: 1,
    bits: Uint8Array.of(1),
  },
  {
    type: "open",
    group: 128,
    cid: CIDS.version1,
    flags: BIGGEST,
    count: 12,
    bits: Uint8Array.of(0x81, 0x0f),
  },
  { type: "have", group: 0, indices: [0] },
  { type: "lost", group: 16_383, indices: [0, 1, 129, 258, 65_535] },
  { type: "request", group: 16_384, level: 0, indices: [65_535] },
  { type: "request", group: 1, level: 2, indices: [7, 8, 200] },
  { type: "cancel", group: 2_097_152, indices: [1, 2, 3] },
  { type: "block", group: 1, index: 300, offset: 0, size: 0, data: new Uint8Array() },
  { type: "block", group: 1, index: 0, offset: 0, size: 5, data: Uint8Array.of(1, 2, 3) },
  { type: "block", group: 1, index: 0, offset: 3, size: 5, data: Uint8Array.of(0xff, 0x80) },
  {
    type: "block",
    group: BIGGEST,
    index: 65_535,
    offset: MAX_BLOCK - 1,
    size: MAX_BLOCK,
    data: Uint8Array.of(6),
  },
  { type: "close", group: 2 ** 28 - 1 },
  { type: "close", group: 2 ** 28 },
  { type: "close", group: BIGGEST },
  { type: "hello", flags: BIGGEST },
];

/** The longest frames there are. */
export const LONG: Frame[] = [
  {
    type: "open",
    group: BIGGEST,
    cid: CIDS.version1,
    flags: BIGGEST,
    count: MAX_MEMBERS,
    bits: new Uint8Array(MAX_MEMBERS / 8).fill(0xff),
  },
  { type: "have", group: BIGGEST, indices: Array.from({ length: MAX_MEMBERS }, (_, i) => i) },
  {
    type: "block",
    group: BIGGEST,
    index: MAX_MEMBERS - 1,
    offset: MAX_BLOCK - MAX_PART,
    size: MAX_BLOCK,
    data: Uint8Array.from({ length: MAX_PART }, (_, i) => i * 7),
  },
];

/** What came of bytes: the frames in them, and what the decoder said where it refused the rest. */
export interface Outcome {
  frames: Frame[];
  refused: string | undefined;
}

/** Decodes a stream that arrives in these chunks. Anything but a {@link WireError} is thrown on, and so is an endless one. */
export function decode(chunks: Iterable<Uint8Array>): Outcome {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  try {
    let bytes = 0;
    for (const chunk of chunks) {
      bytes += chunk.length;
      for (const frame of decoder.push(chunk)) {
        if (frames.push(frame) > bytes) throw new Error("more frames than bytes");
      }
    }
    decoder.end();
    return { frames, refused: undefined };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { frames, refused: error.message };
  }
}

/** Bytes in chunks that end at these places. */
export function* cut(bytes: Uint8Array, ...ends: number[]): Generator<Uint8Array> {
  let at = 0;
  for (const end of [...ends, bytes.length]) yield bytes.slice(at, at = end);
}

/** Bytes in chunks of one. */
export function* single(bytes: Uint8Array): Generator<Uint8Array> {
  for (const byte of bytes) yield Uint8Array.of(byte);
}

/** Bytes as they stand in documents: two digits each, with spaces at will. */
export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, "").match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

export function join(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
