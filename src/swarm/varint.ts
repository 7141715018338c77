/** Unsigned varints (multiformats/unsigned-varint) of up to 31 bits, which is what the swarm's frames count in. */

/** Largest number on the wire. */
export const MAX_NUMBER = 0x7fff_ffff;

/** Bytes that a number takes. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes a number and returns where the next byte goes. */
export function writeVarint(value: number, out: Uint8Array, at: number): number {
  for (; value >= 0x80; value >>>= 7) out[at++] = value & 0x7f | 0x80;
  out[at++] = value;
  return at;
}
