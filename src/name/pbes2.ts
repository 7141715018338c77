/**
 * Encrypted PKCS #8 (RFC 8018: PBES2 with PBKDF2 and AES-256-CBC). `node:crypto` writes it too, but with 2,048 rounds and no way
 * to ask for more: a stolen copy would be opened by guessing. What is written here every OpenSSL reads.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";

/** Rounds of HMAC-SHA-256 for each guess (OWASP Password Storage Cheat Sheet, 2023). */
const ROUNDS = 600_000;

const [SEQUENCE, INTEGER, OCTETS, NULL, OBJECT] = [0x30, 0x02, 0x04, 0x05, 0x06];

/** Object identifiers (RFC 8018, appendix A; NIST CSOR), DER-encoded without tag and length. */
const PBES2 = "2a864886f70d01050d";
const PBKDF2 = "2a864886f70d01050c";
const HMAC_SHA256 = "2a864886f70d0209";
const AES_256_CBC = "60864801650304012a";

/** @param pkcs8 a private key in DER */
export function encryptPkcs8(pkcs8: Uint8Array, passphrase: string): Uint8Array {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const cipher = createCipheriv(
    "aes-256-cbc",
    pbkdf2Sync(passphrase, salt, ROUNDS, 32, "sha256"),
    iv,
  );
  const rounds = Buffer.alloc(4);
  rounds.writeUInt32BE(ROUNDS);
  const derivation = sequence(
    object(PBKDF2),
    sequence(
      der(OCTETS, salt),
      der(INTEGER, rounds.subarray(1)), // three bytes, the first one below 0x80: a positive number
      sequence(object(HMAC_SHA256), der(NULL)),
    ),
  );
  const encryption = sequence(object(AES_256_CBC), der(OCTETS, iv));
  return sequence(
    sequence(object(PBES2), sequence(derivation, encryption)),
    der(OCTETS, Buffer.concat([cipher.update(pkcs8), cipher.final()])),
  );
}

function sequence(...parts: Uint8Array[]): Uint8Array {
  return der(SEQUENCE, Buffer.concat(parts));
}

function object(hex: string): Uint8Array {
  return der(OBJECT, Buffer.from(hex, "hex"));
}

function der(tag: number, content: Uint8Array = new Uint8Array()): Uint8Array {
  const length = content.byteLength;
  const header = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
