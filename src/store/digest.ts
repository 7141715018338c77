/** SHA-256, by which nearly all blocks are named. */
import { sha256 } from "multiformats/hashes/sha2";

/**
 * What is larger, in bytes, is hashed by another thread while this one reads on. To hand it over takes as long as 100 KiB take
 * here, which is more than small blocks are worth.
 */
const LARGE = 256 * 1024;

export async function sha256Of(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.byteLength < LARGE) return (await sha256.digest(bytes)).digest;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
}
