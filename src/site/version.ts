/**
 * One version of a site: a DAG-CBOR block that names the root of its tree and the version before it, signed with the site's
 * IPNS key. The newest one is named by the site's IPNS record, so that who trusts the name trusts the chain.
 */
import type { Helia, PrivateKey } from "@helia/interface";
import { code as DAG_CBOR, decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError } from "../errors.ts";

/** Raised with every change that an older program could not read. */
const FORMAT = 1 as const;

/** So that the signature of a version is never one of anything else that the key signs. */
const CONTEXT = new TextEncoder().encode("nethood-version:");

/** Most bytes of a note, in UTF-8. */
export const MAX_NOTE = 1024;

/** Most bytes of a block: a note, an RSA key of 4,096 bits and its signature, and room. */
const MAX_BLOCK = 8 * 1024;

export interface Version {
  /** 1, 2, …, each one more than that of the version before it. */
  number: number;
  /** The version before it; null for the first. */
  previous: CID | null;
  /** The root of the site's tree (UnixFS). */
  root: CID;
  /** When it was made, by its publisher's clock, in milliseconds since 1970. Told, and not to be trusted. */
  time: number;
  /** The publisher's own words, at most 1 KiB. */
  note: string;
}

/** What came with the version: the libp2p public key as protobuf, and its signature of all the rest. */
interface Signed extends Version {
  format: typeof FORMAT;
  signer: Uint8Array;
  signature: Uint8Array;
}

/** @throws {NethoodError} BAD_OPTION for a note that is too long */
export async function signVersion(
  key: PrivateKey,
  version: Version,
): Promise<{ cid: CID; block: Uint8Array }> {
  checkNote(version.note);
  const unsigned: Omit<Signed, "signature"> = {
    format: FORMAT,
    ...version,
    signer: key.publicKey.toProtobuf(),
  };
  const signature = await key.sign(toSign(unsigned));
  const block = encode({ ...unsigned, signature });
  return { cid: CID.createV1(DAG_CBOR, await sha256.digest(block)), block };
}

/** @throws {NethoodError} BAD_OPTION */
export function checkNote(note: string): void {
  const bytes = new TextEncoder().encode(note).byteLength;
  if (bytes <= MAX_NOTE) return;
  throw new NethoodError("BAD_OPTION", `A note of ${bytes} bytes is too long.`, {
    hint: `Write at most ${MAX_NOTE} bytes.`,
  });
}

/**
 * Reads a version whose bytes are those of its CID, if it is signed as it says, and by the site's key.
 *
 * @param site.key the IPNS name; undefined where any key's version is wanted
 * @throws {NethoodError} VERSION_INVALID
 */
export async function readVersion(
  cid: CID,
  block: Uint8Array,
  { key, keychain }: {
    key?: CID | undefined;
    keychain: Pick<Helia["keychain"], "loadPublicKeyFromProtobuf">;
  },
): Promise<Version> {
  const signed = parse(cid, block);
  const { signature, ...unsigned } = signed;
  const { format: _, signer, ...version } = unsigned;
  let valid: boolean;
  try {
    const publicKey = await keychain.loadPublicKeyFromProtobuf(signer);
    if (key && !same(publicKey.toCID().multihash.bytes, key.multihash.bytes)) {
      throw invalid(cid, "is signed by another key than the site's");
    }
    valid = await publicKey.verify(toSign(unsigned), signature);
  } catch (cause) {
    if (cause instanceof NethoodError) throw cause;
    throw invalid(cid, "has no signature that could be checked", cause);
  }
  if (!valid) throw invalid(cid, "has a broken signature");
  return version;
}

/** @param how begins with a verb */
export function invalid(cid: CID, how: string, cause?: unknown): NethoodError {
  return new NethoodError("VERSION_INVALID", `The version ${cid} ${how}.`, {
    cause,
    hint: "Do not rely on it, nor on what came before it. Its publisher has to look into this.",
  });
}

function toSign(unsigned: Omit<Signed, "signature">): Uint8Array {
  const map = encode(unsigned);
  const bytes = new Uint8Array(CONTEXT.byteLength + map.byteLength);
  bytes.set(CONTEXT);
  bytes.set(map, CONTEXT.byteLength);
  return bytes;
}

function parse(cid: CID, block: Uint8Array): Signed {
  if (cid.code !== DAG_CBOR || block.byteLength > MAX_BLOCK) throw invalid(cid, "is none");
  let map: Record<string, unknown>;
  try {
    // A list or a number has none of the fields.
    map = Object(decode(block));
    // One version has one block: no other spelling of it is taken.
    if (!same(encode(map), block)) throw new Error("not as DAG-CBOR is written");
  } catch (cause) {
    throw invalid(cid, "cannot be read", cause);
  }
  if (typeof map.format === "number" && map.format > FORMAT) {
    throw new NethoodError("VERSION_INVALID", `The version ${cid} is of a newer kind.`, {
      hint: "Update this program.",
    });
  }
  if (!isSigned(map)) throw invalid(cid, "is not of the form of a version");
  const { format, number, previous, root, time, note, signer, signature } = map;
  return { format, number, previous, root, time, note, signer, signature };
}

function isSigned(map: Record<string, unknown>): map is Record<string, unknown> & Signed {
  const { format, number, previous, root, time, note, signer, signature } = map;
  return Object.keys(map).length === 8 && format === FORMAT &&
    isWhole(number) && number >= 1 && (number === 1 ? previous === null : isVersion(previous)) &&
    CID.asCID(root) !== null && isWhole(time) && time >= 0 &&
    typeof note === "string" && new TextEncoder().encode(note).byteLength <= MAX_NOTE &&
    signer instanceof Uint8Array && signature instanceof Uint8Array;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isVersion(value: unknown): boolean {
  return CID.asCID(value)?.code === DAG_CBOR;
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, i) => byte === other[i]);
}
