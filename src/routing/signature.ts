/** Who signed something. Ed25519, which nearly all have, goes the short way: the system's code, and no promise. */
import { Buffer } from "node:buffer";
import { verify } from "node:crypto";
import type { PublicKey } from "@libp2p/interface";
import { publicKeyFromProtobuf } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey, peerIdFromString } from "@libp2p/peer-id";
import { base58btc } from "multiformats/bases/base58";

/** What is before an Ed25519 key in the peer ID that has it: identity, 36 bytes; type 1, 32 bytes (specification: peer-ids). */
const ED25519_ID = Buffer.from("002408011220", "hex");

/** What is before it in the form that node:crypto reads (RFC 8410, SubjectPublicKeyInfo). */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** The longest key of another kind, in characters of base64url: RSA of 8,192 bits. */
const MAX_PUBLIC_KEY = 1_500;

/**
 * @param publicKey the key as protobuf in base64url, where the ID does not contain it
 * @returns the ID as a multihash, which is not cheap to decode; undefined where that peer did not sign it, or the ID is none
 */
export function signerOf(
  id: string,
  data: Uint8Array,
  signature: Uint8Array,
  publicKey?: string,
): Uint8Array | undefined | Promise<Uint8Array | undefined> {
  if (!id.startsWith("12D3KooW")) return otherSigner(id, data, signature, publicKey);
  try {
    const bytes = base58btc.decode(`z${id}`);
    const known = bytes.byteLength === 38 && ED25519_ID.equals(bytes.subarray(0, 6));
    if (!known || signature.byteLength !== 64) return undefined;
    const key = Buffer.concat([ED25519_SPKI, bytes.subarray(6)]);
    const signed = verify(null, data, { key, format: "der", type: "spki" }, signature);
    return signed ? bytes : undefined;
  } catch {
    return undefined; // No peer ID, or a point that is on no curve: nobody can have signed with it.
  }
}

async function otherSigner(
  id: string,
  data: Uint8Array,
  signature: Uint8Array,
  publicKey: string | undefined,
): Promise<Uint8Array | undefined> {
  try {
    const peer = peerIdFromString(id);
    if (peer.toString() !== id) return undefined; // One peer has one name.
    const key = peer.publicKey ?? given(publicKey);
    if (key === undefined || !peerIdFromPublicKey(key).equals(peer)) return undefined;
    return await key.verify(data, signature) ? peer.toMultihash().bytes : undefined;
  } catch {
    return undefined; // What cannot be read as a key or an ID signs nothing.
  }
}

function given(publicKey: string | undefined): PublicKey | undefined {
  if (publicKey === undefined || publicKey.length > MAX_PUBLIC_KEY) return undefined;
  return publicKeyFromProtobuf(Buffer.from(publicKey, "base64url"));
}
