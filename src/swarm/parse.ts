/** One frame from its bytes. Data of a block is a view of them; all else that a frame keeps is a copy, and so holds no chunk. */
import { equals } from "multiformats/bytes";
import { CID } from "multiformats/cid";
import { type BlockFrame, type Frame, type OpenFrame, TYPES } from "./frame.ts";
import { checkBlock, checkIndex, checkLevel, checkList, checkOpen, WireError } from "./limits.ts";
import { Reader } from "./reader.ts";

/** A BLOCK without its data. */
export type BlockHeader = Omit<BlockFrame, "data">;

/** The types, by their number on the wire. */
const NAMES = Object.keys(TYPES) as Frame["type"][];

/** Serves every frame, since one is read at a stretch. */
const reader = new Reader();

/** A frame, after its length. */
export function parseFrame(bytes: Uint8Array, start: number, end: number): Frame {
  reader.read(bytes, start, end);
  const type = typeOf(reader.byte());
  const frame = readBody(type);
  if (reader.left > 0) throw new WireError(`${reader.left} bytes after the end of a frame`);
  return frame;
}

export function typeOf(byte: number): Frame["type"] {
  const name = NAMES[byte];
  if (name === undefined) throw new WireError(`a frame of the unknown type ${byte}`);
  return name;
}

function readBody(type: Frame["type"]): Frame {
  switch (type) {
    case "hello":
      return { type, flags: reader.number() };
    case "open":
      return readOpen();
    case "have":
    case "lost":
    case "cancel":
      return { type, group: reader.number(), indices: readIndices() };
    case "request": {
      const group = reader.number();
      const level = reader.number();
      checkLevel(level);
      return { type, group, level, indices: readIndices() };
    }
    case "block":
      return { ...readBlockHeader(), data: reader.rest() };
    case "close":
      return { type, group: reader.number() };
  }
}

function readOpen(): OpenFrame {
  const group = reader.number();
  const flags = reader.number();
  const cid = readCid(reader.number());
  const count = reader.number();
  const open: OpenFrame = {
    type: "open",
    group,
    cid,
    flags,
    count,
    bits: new Uint8Array(reader.rest()),
  };
  checkOpen(open);
  return open;
}

function readCid(length: number): CID {
  const bytes = new Uint8Array(reader.take(length));
  let cid: CID;
  try {
    cid = CID.decode(bytes);
  } catch (cause) {
    throw new WireError("a CID that cannot be read", { cause });
  }
  // Some CIDs have a second spelling that is read too: a version 0 with its version before it.
  if (!equals(cid.bytes, bytes)) throw new WireError("a CID in another form than its own");
  return cid;
}

function readIndices(): number[] {
  const count = reader.number();
  checkList(count);
  const indices: number[] = [];
  for (let i = 0, next = 0; i < count; i++, next++) {
    next += reader.number();
    checkIndex(next);
    indices.push(next);
  }
  return indices;
}

/**
 * What stands before the data of a BLOCK, its type first.
 *
 * @param dataLength bytes that follow in the frame
 */
export function parseBlockHeader(header: Uint8Array, dataLength: number): BlockHeader {
  reader.read(header, 1, header.length);
  return readBlockHeader(dataLength);
}

/** @param following bytes of data that are not before the reader; the others are */
function readBlockHeader(following = 0): BlockHeader {
  const group = reader.number();
  const index = reader.number();
  const offset = reader.number();
  const size = reader.number();
  checkBlock(index, offset, size, reader.left + following);
  return { type: "block", group, index, offset, size };
}
