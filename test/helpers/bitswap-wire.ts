/** The bitswap 1.2 message, by hand: a liar needs what no library writes. (specs.ipfs.tech/bitswap-protocol) */
import { varint } from "multiformats";
import { CID } from "multiformats/cid";

export const BITSWAP = "/ipfs/bitswap/1.2.0";

export interface Block {
  /** CID version, codec, hash function and digest length, as varints. */
  prefix: Uint8Array;
  data: Uint8Array;
}

/** The prefix that an honest sender puts before a block. */
export function prefixOf({ version, code, multihash }: CID): Uint8Array {
  return concat(version, code, multihash.code, multihash.size);
}

export function encodeMessage(
  { blocks = [], have = [] }: { blocks?: Block[]; have?: CID[] },
): Uint8Array {
  return concat(
    ...blocks.map(({ prefix, data }) => field(3, concat(field(1, prefix), field(2, data)))),
    ...have.map((cid) => field(4, field(1, cid.bytes))), // the type, 0, is HAVE
  );
}

/** A message with its length before it, as it goes over a stream. */
export function frame(message: Uint8Array): Uint8Array {
  return concat(message.byteLength, message);
}

/** The CIDs that a stream of messages asks for. */
export function* decodeWants(bytes: Uint8Array): Generator<CID> {
  for (let at = 0; at < bytes.byteLength;) {
    const [length, read] = varint.decode(bytes, at);
    const message = bytes.subarray(at + read, at += read + length);
    for (const wantlist of fields(message, 1)) {
      for (const entry of fields(wantlist, 1)) {
        for (const cid of fields(entry, 1)) yield CID.decode(cid);
      }
    }
  }
}

/** The values of one length-delimited field. */
function* fields(message: Uint8Array, wanted: number): Generator<Uint8Array> {
  for (let at = 0; at < message.byteLength;) {
    const [tag, tagBytes] = varint.decode(message, at);
    const [value, valueBytes] = varint.decode(message, at += tagBytes);
    at += valueBytes;
    if ((tag & 7) !== 2) continue; // a number: it was its own value
    if (tag >> 3 === wanted) yield message.subarray(at, at + value);
    at += value;
  }
}

function field(number: number, value: Uint8Array): Uint8Array {
  return concat(number << 3 | 2, value.byteLength, value);
}

/** Bytes one after another; numbers as varints. */
export function concat(...parts: (number | Uint8Array)[]): Uint8Array {
  const encoded = parts.map((part) =>
    typeof part === "number"
      ? varint.encodeTo(part, new Uint8Array(varint.encodingLength(part)))
      : part
  );
  const all = new Uint8Array(encoded.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of encoded) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
