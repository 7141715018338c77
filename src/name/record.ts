/**
 * Signed IPNS records (specs.ipfs.tech/ipns/ipns-record): what they say, and whether that is to be believed. Only what is
 * signed is read: the fields beside it are for programs of before 2021, and anybody on the way can change them.
 */
import { type Helia, UnknownCryptoError } from "@helia/interface";
import { IPNSEntry, ipnsValidator, multihashToIPNSRoutingKey } from "@helia/ipns";
import { code as DAG_CBOR, decode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError } from "../errors.ts";
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
  /** The block of the site's version that it announces; undefined where whoever signed it keeps no versions. */
  version?: CID;
  /** Which version that is: 1, 2, …. The block itself may say otherwise, and is to be compared. */
  number?: number;
}

/** A version of a site: its block, and which it is. */
export interface VersionLink {
  cid: CID;
  number: number;
}

/** Reads a record that was checked before it was stored. @throws {Error} for bytes that are no record */
export function readRecord(bytes: Uint8Array): IpnsRecord {
  const { data } = IPNSEntry.decode(bytes);
  if (data === undefined) throw new Error("it has no signed data");
  const { Value, Sequence, TTL, Validity, ...more } = decode<Record<string, unknown>>(data);
  const expires = Date.parse(text(Validity));
  if (Number.isNaN(expires)) throw new Error("it does not say how long it is valid");
  const ttl = TTL === undefined ? DEFAULT_TTL_S : Number(integer(TTL) / 1_000_000_000n);
  return {
    bytes,
    value: text(Value),
    sequence: integer(Sequence),
    ttl: Math.min(ttl, MAX_TTL_S),
    expires,
    ...versionIn(more),
  };
}

/**
 * The entries with which a record announces a version, as signed data beside that of the specification (ipns-record,
 * "Extensible Data": names of one's own begin with an underscore).
 */
export function versionEntries(version: VersionLink | undefined): Record<string, unknown> {
  return version ? { _version: version.cid.bytes, _number: version.number } : {};
}

/** As bytes and not as a link: Helia's own reader of records knows no tags, and would refuse the record for one. */
function cidIn(bytes: unknown): CID | undefined {
  if (!(bytes instanceof Uint8Array)) return undefined;
  try {
    return CID.decode(bytes);
  } catch {
    return undefined; // Another program's, of the same name.
  }
}

/** Entries of these names may be another program's: what is not of the form of ours is none. */
function versionIn(
  { _version, _number }: Record<string, unknown>,
): Pick<IpnsRecord, "version" | "number"> {
  const version = cidIn(_version);
  if (version?.code !== DAG_CBOR || version.multihash.code !== SHA2_256) return {};
  if (!Number.isSafeInteger(_number) || _number as number < 1) return {};
  return { version, number: _number as number };
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
    if (cause instanceof UnknownCryptoError) {
      throw new Error("its key is of a kind that is not known here", { cause });
    }
    // What a decoder stumbled over is no sentence for the stranger.
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause;
    throw new Error("it is not of the form of a record", { cause });
  });
  if (!isValue(record.value)) throw new Error("it leads to no content");
  return record;
}

/**
 * The same, of a record that somebody hands in.
 *
 * @throws {NethoodError} IPNS_REFUSED
 */
export async function admitRecord(
  key: CID,
  bytes: Uint8Array,
  keychain: Helia["keychain"],
): Promise<IpnsRecord> {
  try {
    return await checkRecord(key, bytes, keychain);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NethoodError("IPNS_REFUSED", `This record of the key is not valid: ${why}.`, {
      cause,
      hint: "Send the record that its publisher signed last.",
    });
  }
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

/**
 * Of two records of one key, whether the first replaces the second (ipns-record, "Record Selection"). Where both announce a
 * version its number comes first: two machines that have the key count their sequences each by itself.
 *
 * @param seen the highest number of a version that was ever seen: nobody is taken below it
 */
export function replaces(one: IpnsRecord, other: IpnsRecord | undefined, seen = 0): boolean {
  const { number } = one;
  if (number !== undefined && number < seen) return false;
  if (other === undefined) return true;
  if (number !== undefined && other.number !== undefined && number !== other.number) {
    return number > other.number;
  }
  return one.sequence > other.sequence ||
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
