/** Numbers for strings, for tables that are to be small. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";

/** Numbers of 53 bits (cyrb53), others at every start: who could choose two keys of one number would mix their peers. */
export function createHasher(seed: number): (text: string) => number {
  return (text) => {
    let a = 0xdeadbeef ^ seed, b = 0x41c6ce57 ^ seed;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, 2654435761);
      b = Math.imul(b ^ code, 1597334677);
    }
    a = Math.imul(a ^ a >>> 16, 2246822507) ^ Math.imul(b ^ b >>> 13, 3266489909);
    b = Math.imul(b ^ b >>> 16, 2246822507) ^ Math.imul(a ^ a >>> 13, 3266489909);
    return 4294967296 * (2097151 & b) + (a >>> 0);
  };
}

/** How many bits of a peer's place are kept. */
export const PLACE_BITS = 48;

/** Where a multihash is among all, for the distance by XOR (specification: kad-dht): the SHA-256 of it. */
export function placeOf(multihash: Uint8Array): Uint8Array {
  return createHash("sha256").update(multihash).digest();
}

/** The same of a peer ID in base58btc, cut short. */
export function placeOfPeer(id: string): number {
  return cutPlace(placeOf(base58btc.decode(`z${id}`)));
}

export function cutPlace(place: Uint8Array): number {
  return Buffer.from(place.buffer, place.byteOffset, place.byteLength).readUIntBE(
    0,
    PLACE_BITS / 8,
  );
}

/** How far two places are from each other: the larger, the farther. */
export function distanceBetween(a: number, b: number): number {
  return Number(BigInt(a) ^ BigInt(b));
}
