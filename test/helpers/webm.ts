/** A film in a WebM file, made of pictures that were encoded elsewhere: enough of Matroska (RFC 9559) to be sought in. */
import { Buffer } from "node:buffer";

export interface Film {
  width: number;
  height: number;
  /** Milliseconds between one picture and the next. */
  interval: number;
  /** VP8 key frames: each can be shown without those before it. */
  frames: Uint8Array[];
}

/** The film as a file, its index before its pictures, so that a player needs no other part to find one. */
export function createWebm({ width, height, interval, frames }: Film): Uint8Array {
  const clusters = frames.map((frame, i) =>
    element("1f43b675", uint("e7", i * interval), element("a3", Buffer.of(0x81, 0, 0, 0x80), frame))
  );
  const info = element(
    "1549a966",
    uint("2ad7b1", 1_000_000),
    float("4489", frames.length * interval),
    text("4d80", "nethood"),
    text("5741", "nethood"),
  );
  const tracks = element(
    "1654ae6b",
    element(
      "ae",
      uint("d7", 1),
      uint("73c5", 1),
      uint("83", 1),
      text("86", "V_VP8"),
      element("e0", uint("b0", width), uint("ba", height)),
    ),
  );
  // Numbers have a fixed width here, so that an index without positions is as long as the one with them.
  const index = (start: number) => {
    let at = start;
    return element(
      "1c53bb6b",
      ...clusters.map((cluster, i) => {
        const place = element("b7", uint("f7", 1), uint("f1", at));
        at += cluster.length;
        return element("bb", uint("b3", i * interval), place);
      }),
    );
  };
  const before = info.length + tracks.length;
  const cues = index(before + index(0).length);
  const header = element(
    "1a45dfa3",
    uint("4286", 1),
    uint("42f7", 1),
    uint("42f2", 4),
    uint("42f3", 8),
    text("4282", "webm"),
    uint("4287", 2),
    uint("4285", 2),
  );
  return Buffer.concat([header, element("18538067", info, tracks, cues, ...clusters)]);
}

function element(id: string, ...content: Uint8Array[]): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(content.reduce((sum, part) => sum + part.length, 0)));
  size[0] = 1; // Marks a length of eight bytes.
  return Buffer.concat([Buffer.from(id, "hex"), size, ...content]);
}

function uint(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
}

function float(id: string, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return element(id, bytes);
}

function text(id: string, value: string): Buffer {
  return element(id, Buffer.from(value));
}
