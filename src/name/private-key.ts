/** A name's private key in the forms of `node:crypto`, of libp2p (peer-ids specification, "Keys") and of Helia. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import type { Helia, PrivateKey } from "@helia/interface";
import { NethoodError } from "../errors.ts";

/** The types of libp2p's keys, by their numbers; the first two can be a site's. */
const TYPES = ["RSA", "Ed25519", "Secp256k1", "ECDSA"] as const;

/** What stands before the seed of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Bits of an RSA key: those that libp2p takes. */
const MIN_RSA = 2048, MAX_RSA = 8192;

/** A key that cannot be used. @param why a sentence that has nothing of the key in it */
export function badKey(why: string, hint: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_KEY", why, { hint, cause });
}

/** From the 32 bytes that an Ed25519 key is made of. */
export function fromSeed(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_ED25519, seed]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** The 32 bytes that an Ed25519 key is made of; undefined for a key of another kind. */
export function toSeed(key: KeyObject): Uint8Array | undefined {
  return key.asymmetricKeyType === "ed25519" ? decode(jwkOf(key).d) : undefined;
}

/** Whether a file is of libp2p's own form, as `ipfs key export` writes it without more. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && bytes[1]! < TYPES.length && bytes[2] === 0x12;
}

/** @throws {NethoodError} BAD_KEY */
export function fromProtobuf(bytes: Uint8Array): KeyObject {
  const type = TYPES[bytes[1]!];
  const data = dataOf(bytes);
  if (type === "Ed25519") {
    // The seed, and the public key once, or twice as some wrote it long ago.
    const key = data.byteLength === 64 || data.byteLength === 96
      ? fromSeed(data.subarray(0, 32))
      : undefined;
    const known = key && decode(jwkOf(key).x);
    const claimed = [data.subarray(32, 64), data.subarray(data.byteLength - 32)];
    if (key && claimed.every((half) => Buffer.compare(known!, half) === 0)) return key;
    throw damaged();
  }
  if (type !== "RSA") throw unfit(type!);
  try {
    return createPrivateKey({ key: Buffer.from(data), format: "der", type: "pkcs1" });
  } catch (cause) {
    throw damaged(cause);
  }
}

/** What Helia's keychain keeps. @throws {NethoodError} BAD_KEY for a key that cannot be a site's */
export async function toHelia(
  key: KeyObject,
  { getCrypto }: Pick<Helia, "getCrypto">,
): Promise<PrivateKey> {
  const kind = key.asymmetricKeyType;
  if (kind === "ed25519") {
    const { d, x } = jwkOf(key);
    const data = Buffer.concat([decode(d), decode(x)]);
    return await (await getCrypto("Ed25519")).privateKeyFromProtobuf(protobuf(1, data));
  }
  if (kind !== "rsa") throw unfit(kind ?? "unknown");
  const bits = decode(jwkOf(key).n).byteLength * 8;
  if (bits < MIN_RSA || bits > MAX_RSA) {
    throw badKey(
      `An RSA key of ${bits} bits cannot be a site's.`,
      `It needs ${MIN_RSA} to ${MAX_RSA} bits; Ed25519 keys are better still.`,
    );
  }
  const data = key.export({ type: "pkcs1", format: "der" });
  return await (await getCrypto("RSA")).privateKeyFromProtobuf(protobuf(0, data));
}

export function fromHelia(key: PrivateKey): KeyObject {
  return createPrivateKey({ key: key.toJWK() as JsonWebKey, format: "jwk" });
}

/** Whether two private keys are one. */
export function isSame(one: KeyObject, other: KeyObject): boolean {
  const [a, b] = [one, other].map((key) =>
    createPublicKey(key).export({ type: "spki", format: "der" })
  );
  return Buffer.compare(a!, b!) === 0;
}

export function damaged(cause?: unknown): NethoodError {
  return badKey("This key is damaged.", "Take another copy of it.", cause);
}

function unfit(kind: string): NethoodError {
  return badKey(
    `A key of the kind ${kind} cannot be a site's.`,
    "Take an Ed25519 or RSA key: ipfs key gen --type=ed25519.",
  );
}

function jwkOf(key: KeyObject): { d?: string; x?: string; n?: string } {
  return key.export({ format: "jwk" });
}

function decode(base64url: string | undefined): Buffer {
  return Buffer.from(base64url!, "base64url");
}

/** The second field of the message, which is its last. */
function dataOf(bytes: Uint8Array): Uint8Array {
  let length = 0;
  let at = 3;
  for (let shift = 0; at < bytes.byteLength && shift < 28; shift += 7) {
    const byte = bytes[at++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  if (at + length !== bytes.byteLength) throw damaged();
  return bytes.subarray(at);
}

function protobuf(type: number, data: Uint8Array): Uint8Array {
  const length: number[] = [];
  let rest = data.byteLength;
  for (; rest >= 0x80; rest >>>= 7) length.push(rest & 0x7f | 0x80);
  return Buffer.from([0x08, type, 0x12, ...length, rest, ...data]);
}
