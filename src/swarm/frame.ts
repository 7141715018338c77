/**
 * The frames of the swarm protocol (docs/swarm-protocol.md): what they say, how large they may be, and how they are written.
 * How they are read is in decoder.ts; what has to be known of earlier frames to judge one is in conversation.ts.
 */
import type { CID } from "multiformats/cid";
import { checkBlock, checkLevel, checkList, checkOpen, WireError } from "./limits.ts";
import { MAX_NUMBER, varintLength, writeVarint } from "./varint.ts";

export {
  MAX_BLOCK,
  MAX_CID,
  MAX_FRAME,
  MAX_GROUPS,
  MAX_MEMBERS,
  MAX_PART,
  WireError,
} from "./limits.ts";

/** The protocol's id in libp2p. What a peer of this version would misread gets a new one. */
export const PROTOCOL = "/nethood/swarm/1.0.0";

/** Flag of HELLO: I publish, what I have is the original. */
export const PUBLISHES = 1;

/** Flag of OPEN: I read this, as against: I only answer. */
export const WANTING = 1;

/** The first byte of each frame. */
export const TYPES = {
  hello: 0,
  open: 1,
  have: 2,
  lost: 3,
  request: 4,
  cancel: 5,
  block: 6,
  close: 7,
} as const;

/** How urgent a request is: some time; soon, somebody waits; now, somebody waits and no other source is known. */
export type Level = 0 | 1 | 2;

export interface HelloFrame {
  type: "hello";
  flags: number;
}

export interface OpenFrame {
  type: "open";
  group: number;
  cid: CID;
  flags: number;
  /** Members of the group; 0 from who does not have the block that names it. */
  count: number;
  /** One bit a member, the least significant first; set where the sender has it. */
  bits: Uint8Array;
}

/** Says something of members, whose indices are in ascending order. */
export interface ListFrame {
  type: "have" | "lost" | "cancel";
  group: number;
  indices: number[];
}

export interface RequestFrame {
  type: "request";
  group: number;
  level: Level;
  indices: number[];
}

/** A part of a block, or the whole of a small one. */
export interface BlockFrame {
  type: "block";
  group: number;
  index: number;
  /** Where in the block the data belongs. */
  offset: number;
  /** Length of the whole block. */
  size: number;
  data: Uint8Array;
}

export interface CloseFrame {
  type: "close";
  group: number;
}

export type Frame = HelloFrame | OpenFrame | ListFrame | RequestFrame | BlockFrame | CloseFrame;

/**
 * A frame as it is sent, its length first. The data of a BLOCK is copied; {@link encodeBlockHeader} spares that.
 *
 * @throws {WireError} where the other side would refuse it
 */
export function encodeFrame(frame: Frame): Uint8Array {
  const { type } = frame;
  switch (type) {
    case "hello":
      return framed(type, [varints([frame.flags])]);
    case "open": {
      checkOpen(frame);
      const { group, flags, cid: { bytes }, count, bits } = frame;
      return framed(type, [varints([group, flags, bytes.length]), bytes, varints([count]), bits]);
    }
    case "have":
    case "lost":
    case "cancel":
      return framed(type, [varints([frame.group]), varints(deltas(frame.indices))]);
    case "request":
      checkLevel(frame.level);
      return framed(type, [varints([frame.group, frame.level]), varints(deltas(frame.indices))]);
    case "block": {
      const { group, index, offset, size, data } = frame;
      return concat([encodeBlockHeader(group, index, offset, size, data.length), data]);
    }
    case "close":
      return framed(type, [varints([frame.group])]);
  }
}

/**
 * What stands before the data of a BLOCK, its length included: the data is to be sent after it as it is.
 *
 * @throws {WireError} where the other side would refuse it
 */
export function encodeBlockHeader(
  group: number,
  index: number,
  offset: number,
  size: number,
  dataLength: number,
): Uint8Array {
  checkBlock(index, offset, size, dataLength);
  return framed("block", [varints([group, index, offset, size])], dataLength);
}

/** A frame of these parts, before that many bytes that the caller sends itself. */
function framed(type: Frame["type"], parts: Uint8Array[], following = 0): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  return concat([varints([length + following]), Uint8Array.of(TYPES[type]), ...parts]);
}

/** Each index as the gap to the one before it, after their count. */
function deltas(indices: number[]): number[] {
  checkList(indices.length, indices.at(-1));
  return [
    indices.length,
    ...indices.map((index, i) => i === 0 ? index : index - indices[i - 1]! - 1),
  ];
}

function varints(numbers: number[]): Uint8Array {
  let length = 0;
  for (const number of numbers) {
    if (!Number.isInteger(number) || number < 0 || number > MAX_NUMBER) {
      throw new WireError(`${number} cannot be sent: a number is out of range or out of order`);
    }
    length += varintLength(number);
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const number of numbers) at = writeVarint(number, out, at);
  return out;
}

/** The bytes of all, in one piece. */
export function concat(parts: Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
