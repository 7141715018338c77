/**
 * Signed IPNS records (specs.ipfs.tech/ipns/ipns-record): what they say, and whether that is to be believed. Only what is
 * signed is read: the fields beside it are for programs of before 2021, and anybody on the way can change them.
 */
import type { Helia } from "@helia/interface";
import { IPNSEntry, ipnsValidator, multihashToIPNSRoutingKey } from "@helia/ipns";
import { decode } from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { isValue } from "./value.ts";

/** Used where a record does not say, in seconds (ipns-record, "TTL"). */
const DEFAULT_TTL_S = 300;

/** A longer TTL is taken for a mistake, as in the DNS: a week, in seconds. */
const MAX_TTL_S = 604_800;

/** The codes of the multihashes that a key's name can be. */
const IDENTITY = 0x00, SHA2_256 = 0x12;

export interface IpnsRecord {
  /** As it is stored and handed on. */
  bytes: Uint8Array;
  /** What the key points to: `/ipfs/<cid>/…` or `/ipns/<name>/…`. */
  value: string;
  /** Of two records, the one with the higher number counts. */
  sequence: bigint;
  /** Seconds for which a reader may use it without asking again. */
  ttl: number;
  /** When it ceases to be valid, in milliseconds since 1970. */
  expires: number;
}

/** Reads a record that was checked before it was stored. @throws {Error} for bytes that are no record */
export function readRecord(bytes: Uint8Array): IpnsRecord {
  const { data } = IPNSEntry.decode(bytes);
  if (data === undefined) throw new Error("it has no signed data");
  const { Value, Sequence, TTL, Validity } = decode<Record<string, unknown>>(data);
  const expires = Date.parse(text(Validity));
  if (Number.isNaN(expires)) throw new Error("it does not say how long it is valid");
  const ttl = TTL === undefined ? DEFAULT_TTL_S : Number(integer(TTL) / 1_000_000_000n);
  return {
    bytes,
    value: text(Value),
    sequence: integer(Sequence),
    ttl: Math.min(ttl, MAX_TTL_S),
    expires,
  };
}

/**
 * A record that a stranger sent, if it is the key's own, valid now, and leads to content.
 *
 * @throws {Error} whose message says what is wrong with it
 */
export async function checkRecord(
  key: CID,
  bytes: Uint8Array,
  keychain: Helia["keychain"],
): Promise<IpnsRecord> {
  const record = await readUnchecked(key, bytes, keychain).catch((cause) => {
    // What a decoder stumbled over is no sentence for the stranger.
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new Error("it is not of the form of a record", { cause });
  });
  if (!isValue(record.value)) throw new Error("it leads to no content");
  return record;
}

async function readUnchecked(
  key: CID,
  bytes: Uint8Array,
  keychain: Helia["keychain"],
): Promise<IpnsRecord> {
  const routingKey = multihashToIPNSRoutingKey(key.multihash);
  const entry = await ipnsValidator(routingKey, bytes, keychain);
  return readRecord(IPNSEntry.encode(await withoutExtras(key, entry)));
}

/** Of two records of one key, whether the first replaces the second (ipns-record, "Record Selection"). */
export function replaces(one: IpnsRecord, other: IpnsRecord | undefined): boolean {
  return other === undefined || one.sequence > other.sequence ||
    one.sequence === other.sequence && one.expires > other.expires;
}

/** What is left is checked, so that nobody on the way can add what makes other programs refuse it. */
async function withoutExtras(
  { multihash }: CID,
  { publicKey, ...entry }: IPNSEntry,
): Promise<Partial<IPNSEntry>> {
  const { data, signatureV2, signatureV1, value } = entry;
  const hasLegacy = signatureV1 !== undefined && value !== undefined; // then they are equal to the signed ones
  const kept = hasLegacy ? entry : { data: data!, signatureV2: signatureV2! };
  if (multihash.code === IDENTITY) return kept; // the name is the key
  // ipnsValidator believes the key that comes with the record: that it is the one of the name is checked here alone.
  const { digest } = await sha256.digest(publicKey ?? new Uint8Array());
  const named = multihash.code === SHA2_256 && multihash.digest.every((b, i) => b === digest[i]);
  if (publicKey === undefined || !named) throw new Error("it comes with another key");
  return { ...kept, publicKey };
}

function text(bytes: unknown): string {
  if (!(bytes instanceof Uint8Array)) throw new Error("a field is missing");
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function integer(value: unknown): bigint {
  if (typeof value !== "bigint" && !Number.isInteger(value)) throw new Error("a number is missing");
  const whole = BigInt(value as number | bigint);
  if (whole < 0n) throw new Error("a number is negative");
  return whole;
}
