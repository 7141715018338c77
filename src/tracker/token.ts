/** Renewal tokens: the number of a peer's row, and what nobody can guess. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";

/** The two parts, in bytes. */
const NUMBER_BYTES = 6, SECRET_BYTES = 10;

/** Random bytes to come: asking for a few costs as much as for many. */
let reserve = Buffer.alloc(0);

export function newSecret(): Uint8Array {
  if (reserve.byteLength < SECRET_BYTES) reserve = randomBytes(400 * SECRET_BYTES);
  const secret = reserve.subarray(0, SECRET_BYTES);
  reserve = reserve.subarray(SECRET_BYTES);
  return secret;
}

export function writeToken(num: number, secret: Uint8Array): string {
  const token = Buffer.alloc(NUMBER_BYTES + SECRET_BYTES);
  token.writeUIntBE(num, 0, NUMBER_BYTES);
  token.set(secret, NUMBER_BYTES);
  return token.toString("base64url");
}

export function readToken(token: string): { num: number; secret: Uint8Array } | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.byteLength !== NUMBER_BYTES + SECRET_BYTES) return undefined;
  return { num: bytes.readUIntBE(0, NUMBER_BYTES), secret: bytes.subarray(NUMBER_BYTES) };
}
