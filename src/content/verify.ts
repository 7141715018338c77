/** Whether bytes are the block that a name means: the one question that makes everything else trustworthy. */
import type { CID } from "multiformats/cid";
import type { MultihashHasher } from "multiformats/hashes/interface";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError } from "../errors.ts";
import { sha256Of } from "../store/digest.ts";

/** Finds a hash function by its code; rejects for one that is not known. */
export type FindHasher = (code: number) => Promise<MultihashHasher> | MultihashHasher;

/** @throws {NethoodError} UNSUPPORTED for a hash function that is not known */
export async function matches(cid: CID, bytes: Uint8Array, find: FindHasher): Promise<boolean> {
  const { code, digest: claimed } = cid.multihash;
  const digest = code === sha256.code
    ? await sha256Of(bytes)
    : (await (await known(cid, find)).digest(bytes)).digest;
  return digest.length === claimed.length && digest.every((byte, i) => byte === claimed[i]);
}

async function known(cid: CID, find: FindHasher): Promise<MultihashHasher> {
  try {
    return await find(cid.multihash.code);
  } catch (cause) {
    const message = `The block ${cid} is named by a hash function that Nethood does not know.`;
    throw new NethoodError("UNSUPPORTED", message, { cause });
  }
}
