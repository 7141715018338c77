/** CAR files byte by byte (ipld.io/specs/transport/car): proper ones, and such as no honest program writes. */
import { Buffer } from "node:buffer";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";

export interface Block {
  cid: CID;
  bytes: Uint8Array;
}

export async function block(bytes: Uint8Array | string, codec = 0x55): Promise<Block> {
  const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  return { cid: CID.createV1(codec, await sha256.digest(content)), bytes: content };
}

/** A file of the first version. */
export function car(roots: CID[], blocks: Block[]): Uint8Array {
  const header = dagCbor.encode({ version: 1, roots });
  return Buffer.concat([
    section(header),
    ...blocks.map(({ cid, bytes }) => section(cid.bytes, bytes)),
  ]);
}

/** The same in the second version: a header that says where it is, some padding, and an index behind it. */
export function car2(inner: Uint8Array): Uint8Array {
  const pragma = section(dagCbor.encode({ version: 2 }));
  const padding = Buffer.alloc(9), index = Buffer.from("an index that nobody reads");
  const header = Buffer.alloc(40);
  const at = pragma.byteLength + header.byteLength + padding.byteLength;
  header.writeBigUInt64LE(BigInt(at), 16);
  header.writeBigUInt64LE(BigInt(inner.byteLength), 24);
  header.writeBigUInt64LE(BigInt(at + inner.byteLength), 32);
  return Buffer.concat([pragma, header, padding, inner, index]);
}

/** One part of a file: its length, then itself. */
export function section(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat([varint(parts.reduce((sum, part) => sum + part.byteLength, 0)), ...parts]);
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push(value % 0x80 | 0x80);
  return Uint8Array.from([...bytes, value]);
}
