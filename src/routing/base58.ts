/** Peer IDs as bytes. Every announce has one: digit by digit, as libraries decode them, takes ten times as long. */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** The digit of each ASCII character; NaN of those that are none. */
const DIGITS = Float64Array.from({ length: 128 }, (_, code) => {
  const digit = ALPHABET.indexOf(String.fromCharCode(code));
  return digit < 0 ? NaN : digit;
});

/** Four digits are taken at once, and added to limbs of three bytes: their product is still exact in a double. */
const GROUP = 4, LIMB = 2 ** 24;

/**
 * Bytes in base58btc, without multibase's prefix.
 *
 * @throws {SyntaxError} for a character that is no digit
 */
export function decodeBase58(text: string): Uint8Array {
  // The least significant first.
  const limbs: number[] = [];
  for (let at = 0, end = text.length % GROUP || GROUP; at < text.length; end += GROUP) {
    let factor = 1, carry = 0;
    for (; at < end; at++) {
      factor *= 58;
      carry = carry * 58 + (DIGITS[text.charCodeAt(at)] ?? NaN);
    }
    if (Number.isNaN(carry)) throw new SyntaxError("This is not base58btc.");
    for (let i = 0; i < limbs.length; i++) {
      const sum = limbs[i]! * factor + carry;
      carry = Math.floor(sum / LIMB);
      limbs[i] = sum - carry * LIMB;
    }
    for (; carry > 0; carry = Math.floor(carry / LIMB)) limbs.push(carry % LIMB);
  }
  // Each 1 at the beginning is a byte of zero.
  let zeros = 0;
  while (text[zeros] === "1") zeros++;
  const last = limbs.at(-1) ?? 0;
  const length = zeros + limbs.length * 3 -
    (last === 0 ? 0 : last < 256 ? 2 : last < 65_536 ? 1 : 0);
  const bytes = new Uint8Array(length);
  for (let i = 0, at = length; i < limbs.length; i++) {
    for (let limb = limbs[i]!, n = 0; n < 3 && at > zeros; n++, limb >>>= 8) bytes[--at] = limb;
  }
  return bytes;
}
