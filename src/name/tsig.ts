/** Signatures of DNS messages with a secret that both sides know (TSIG, RFC 8945). Pure: time is given to it. */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import {
  CLASS,
  encodeName,
  encodeRecord,
  foldName,
  type Message,
  RCODE,
  readName,
  TYPE,
} from "./dns-message.ts";

/**
 * The algorithms, as RFC 8945 section 6 names them, and what node:crypto calls their hash. hmac-md5 is not among them: the same
 * section says that it must not be used.
 */
const HASHES = {
  "hmac-sha1": "sha1",
  "hmac-sha224": "sha224",
  "hmac-sha256": "sha256",
  "hmac-sha384": "sha384",
  "hmac-sha512": "sha512",
} as const;

export type TsigAlgorithm = keyof typeof HASHES;

export const ALGORITHMS = Object.keys(HASHES) as TsigAlgorithm[];

/** How far two clocks may be apart, in seconds: what RFC 8945 section 10 recommends. */
const FUDGE_S = 300;

export interface TsigKey {
  /** A DNS name; both sides have to call it the same. */
  name: string;
  algorithm: TsigAlgorithm;
  secret: Uint8Array;
}

export interface TsigOptions {
  /** Milliseconds since 1970. */
  now: number;
  /** In an answer: the signature of the request, which is signed with it. */
  request?: Buffer;
  /** In an answer: what was wrong with the request's signature. 0: nothing. */
  error?: number;
  /** In an answer to a request from another time: the time here (RFC 8945 section 5.2.3). */
  other?: Buffer;
}

/** What a received signature says. */
export type Verdict =
  | { kind: "good" }
  /** There is none. */
  | { kind: "unsigned" }
  /** It does not belong to this message, this request, this key or this hour. */
  | { kind: "bad"; why: string }
  /** The other side did not accept ours. */
  | {
    kind: "refused";
    /** `RCODE.BADSIG`, `BADKEY`, `BADTIME` or `BADTRUNC`. */
    code: number;
    /** Whether that is signed itself; where the key is not known there, it cannot be. */
    proven: boolean;
    /** What time it is there, in milliseconds since 1970, where that is wrong and proven. */
    time?: number;
  };

/** Signs a message. The signature is its last record; `mac` alone is what an answer to it is signed with. */
export function signMessage(
  message: Buffer,
  key: TsigKey,
  options: TsigOptions,
): { message: Buffer; mac: Buffer } {
  const { now, request, error = 0, other = Buffer.alloc(0) } = options;
  const time = encodeTime(now);
  const variables = Buffer.concat([time, uint16(FUDGE_S), uint16(error), counted(other)]);
  const mac = digest(message, key, variables, request);
  const data = Buffer.concat([
    encodeName(key.algorithm),
    time,
    uint16(FUDGE_S),
    counted(mac),
    message.subarray(0, 2),
    uint16(error),
    counted(other),
  ]);
  const name = encodeName(foldName(key.name));
  const record = encodeRecord(name, { type: TYPE.TSIG, class: CLASS.ANY, ttl: 0, data });
  const signed = Buffer.concat([message, record]);
  signed.writeUInt16BE(signed.readUInt16BE(10) + 1, 10);
  return { message: signed, mac };
}

/**
 * Judges the signature of an answer.
 *
 * @param message the answer's bytes, of which `parsed` was read
 * @param options.request the signature of the request
 */
export function verifyMessage(
  message: Uint8Array,
  parsed: Message,
  key: TsigKey,
  { now, request }: { now: number; request: Buffer },
): Verdict {
  const { answers, authorities, additionals } = parsed;
  const places = [...answers, ...authorities, ...additionals];
  const last = additionals.at(-1);
  if (!places.some(({ type }) => type === TYPE.TSIG)) return { kind: "unsigned" };
  if (last === undefined || places.filter(({ type }) => type === TYPE.TSIG)[0] !== last) {
    return bad("is not where it belongs");
  }
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const fields = readFields(bytes, last.dataStart, last.dataStart + last.data.length);
  if (fields === undefined || last.class !== CLASS.ANY || last.ttl !== 0) {
    return bad("is malformed");
  }
  const { error, mac, time } = fields;
  if (mac.length === 0 && error !== 0) return { kind: "refused", code: error, proven: false };
  if (foldName(last.name) !== foldName(key.name) || foldName(fields.algorithm) !== key.algorithm) {
    return bad("is made with another key");
  }
  // As it was before it was signed: one record less, and the id that whoever signed it gave it.
  const unsigned = Buffer.from(bytes.subarray(0, last.start));
  fields.id.copy(unsigned, 0);
  unsigned.writeUInt16BE(unsigned.readUInt16BE(10) - 1, 10);
  const expected = digest(unsigned, key, fields.variables, request);
  // Shorter ones are allowed (section 5.2.2.1), and nobody whom we would have to understand sends them.
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return bad("is wrong");
  if (error === RCODE.BADTIME && fields.other.length === 6) {
    return { kind: "refused", code: error, proven: true, time: decodeTime(fields.other) };
  }
  if (Math.abs(time - now) > fields.fudge * 1000 + 999) return bad("is of another time");
  return error === 0 ? { kind: "good" } : { kind: "refused", code: error, proven: true };
}

function bad(why: string): Verdict {
  return { kind: "bad", why };
}

/** Section 4.3: the request's signature, the message, and what the record says beside the signature itself. */
function digest(message: Buffer, key: TsigKey, variables: Buffer, request?: Buffer): Buffer {
  const hmac = createHmac(HASHES[key.algorithm], key.secret);
  if (request !== undefined) hmac.update(counted(request));
  hmac.update(message).update(encodeName(foldName(key.name)));
  hmac.update(Buffer.of(0, CLASS.ANY, 0, 0, 0, 0)); // The record's class and TTL.
  return hmac.update(encodeName(key.algorithm)).update(variables).digest();
}

/** Section 4.2, from the algorithm's name on. */
function readFields(bytes: Buffer, start: number, end: number) {
  const algorithm = readName(bytes, start);
  if (algorithm === undefined || algorithm.end + 10 > end) return undefined;
  const timed = bytes.subarray(algorithm.end, algorithm.end + 8);
  const macStart = algorithm.end + 10;
  const macEnd = macStart + bytes.readUInt16BE(macStart - 2);
  if (macEnd + 6 > end || macEnd + 6 + bytes.readUInt16BE(macEnd + 4) !== end) return undefined;
  return {
    algorithm: algorithm.name,
    time: decodeTime(timed),
    fudge: timed.readUInt16BE(6),
    mac: bytes.subarray(macStart, macEnd),
    id: bytes.subarray(macEnd, macEnd + 2),
    error: bytes.readUInt16BE(macEnd + 2),
    other: bytes.subarray(macEnd + 6, end),
    variables: Buffer.concat([timed, bytes.subarray(macEnd + 2, end)]),
  };
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value);
}

function counted(bytes: Buffer): Buffer {
  return Buffer.concat([uint16(bytes.length), bytes]);
}

/** Seconds since 1970 in six bytes. */
export function encodeTime(ms: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(Math.floor(ms / 1000), 0, 6);
  return bytes;
}

function decodeTime(bytes: Buffer): number {
  return bytes.readUIntBE(0, 6) * 1000;
}
