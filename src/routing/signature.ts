/** Whether a peer signed something. Ed25519, which nearly all have, goes the short way: the system's code, and no promise. */
import { Buffer } from "node:buffer";
import { createPublicKey, verify } from "node:crypto";
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
 * @returns false also for an ID that is none, or a key that is not the one of the ID
 */
export function signedBy(
  id: string,
  data: Uint8Array,
  signature: Uint8Array,
  publicKey?: string,
): boolean | Promise<boolean> {
  if (!id.startsWith("12D3KooW")) return otherSigned(id, data, signature, publicKey);
  try {
    const bytes = base58btc.decode(`z${id}`);
    const known = bytes.byteLength === 38 && ED25519_ID.equals(bytes.subarray(0, 6));
    if (!known || signature.byteLength !== 64) return false;
    const der = Buffer.concat([ED25519_SPKI, bytes.subarray(6)]);
    return verify(
      null,
      data,
      createPublicKey({ key: der, format: "der", type: "spki" }),
      signature,
    );
  } catch {
    return false; // No peer ID, or a point that is on no curve: nobody can have signed with it.
  }
}

async function otherSigned(
  id: string,
  data: Uint8Array,
  signature: Uint8Array,
  publicKey: string | undefined,
): Promise<boolean> {
  try {
    const peer = peerIdFromString(id);
    if (peer.toString() !== id) return false; // One peer has one name.
    if (peer.publicKey !== undefined) return await peer.publicKey.verify(data, signature);
    if (publicKey === undefined || publicKey.length > MAX_PUBLIC_KEY) return false;
    const key = publicKeyFromProtobuf(Buffer.from(publicKey, "base64url"));
    return peerIdFromPublicKey(key).equals(peer) && await key.verify(data, signature);
  } catch {
    return false; // What cannot be read as a key or an ID signs nothing.
  }
}
