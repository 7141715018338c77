/** The limits of a frame, and what nobody may send as far as the frame itself tells: both sides ask the same. */
import type { CID } from "multiformats/cid";
import type { Level } from "./frame.ts";

/** Data in one BLOCK, in bytes: short enough that what is urgent does not wait long behind it, on a thin line too. */
export const MAX_PART: number = 65_536;

/** What follows a frame's length, in bytes: a part and the numbers before it. */
export const MAX_FRAME: number = MAX_PART + 64;

/** Largest block, in bytes: what bitswap's specification asks every implementation to take. */
export const MAX_BLOCK: number = 2 * 1024 * 1024;

/** Groups that one side may have open at a time. */
export const MAX_GROUPS: number = 1_024;

/** Members of a group: a block and 65,535 links. Their bits and lists fit into one frame. */
export const MAX_MEMBERS: number = 65_536;

/** Longest CID, in bytes: room for every hash in use. */
export const MAX_CID: number = 128;

/** The other side does not speak the protocol: the message says what it did. Its stream is to be dropped. */
export class WireError extends Error {
  override readonly name = "WireError";
}

const IDENTITY = 0;
const SHA_256 = 0x12;

export function checkCid({ version, bytes, multihash }: CID): void {
  if (bytes.length > MAX_CID) throw new WireError(`a CID of ${bytes.length} bytes`);
  if (multihash.code === IDENTITY) throw new WireError("an identity CID, which is no block's name");
  if (version === 0 && (multihash.code !== SHA_256 || multihash.size !== 32)) {
    throw new WireError("a CID of version 0 that is no SHA-256");
  }
}

/** Whether a group can be named to others. */
export function isSpeakable(cid: CID): boolean {
  try {
    checkCid(cid);
    return true;
  } catch {
    return false; // why not does not matter: it is read in other ways
  }
}

export function checkOpen(
  { cid, count, bits }: { cid: CID; count: number; bits: Uint8Array },
): void {
  checkCid(cid);
  if (count > MAX_MEMBERS) throw new WireError(`a group of ${count} members`);
  if (bits.length !== Math.ceil(count / 8)) {
    throw new WireError(`${bits.length} bytes of bits for ${count} members`);
  }
  if (count === 0) return;
  if (!(bits[0]! & 1)) throw new WireError("a count of members from who does not have the first");
  if (count % 8 > 0 && bits.at(-1)! >> count % 8) {
    throw new WireError("bits beyond the last member");
  }
}

export function checkList(count: number, last = 0): void {
  if (count === 0) throw new WireError("a list without indices");
  if (count > MAX_MEMBERS) throw new WireError(`a list of ${count} indices`);
  checkIndex(last);
}

export function checkLevel(level: number): asserts level is Level {
  if (level > 2) throw new WireError(`a request of level ${level}`);
}

export function checkBlock(index: number, offset: number, size: number, dataLength: number): void {
  checkIndex(index);
  if (size > MAX_BLOCK) throw new WireError(`a block of ${size} bytes`);
  if (dataLength > MAX_PART) throw new WireError(`a part of ${dataLength} bytes`);
  if (offset + dataLength > size) throw new WireError("data beyond the end of its block");
  if (dataLength === 0 && size > 0) throw new WireError("a part without data");
}

export function checkIndex(index: number): void {
  if (index >= MAX_MEMBERS) throw new WireError(`the index ${index}, which no group has`);
}
