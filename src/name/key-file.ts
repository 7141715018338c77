/**
 * Private keys as files, and as words on paper:
 *
 * - PEM, PKCS #8, with a passphrase or without: what `ipfs key export --format=pem-pkcs8-cleartext` writes and OpenSSL reads;
 * - libp2p's own form, which `ipfs key export` writes without more;
 * - 24 words (BIP 39, English), which are the seed of an Ed25519 key itself, and no wallet's way to derive one.
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject } from "node:crypto";
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { encryptPkcs8 } from "./pbes2.ts";
import { badKey, damaged, fromProtobuf, fromSeed, isProtobuf, toSeed } from "./private-key.ts";

/** Larger files are no keys, in bytes: an RSA key of 8,192 bits has 7 KB. */
export const MAX_KEY_FILE: number = 64 * 1024;

/** Words of a key: eleven bits each, and eight to notice a slip of the pen. */
const WORDS = 24;

const FORMS =
  "Give a PEM file (PKCS #8), what ipfs key export wrote, or a text file with the 24 words.";

/** @param title a line for whoever finds the file; no program reads it */
export function toPem(key: KeyObject, title: string, passphrase?: string): string {
  if (passphrase === undefined) {
    return `${title}\n${key.export({ type: "pkcs8", format: "pem" })}`;
  }
  const bytes = encryptPkcs8(key.export({ type: "pkcs8", format: "der" }), passphrase);
  const lines = Buffer.from(bytes).toString("base64").match(/.{1,64}/g)!;
  const label = "ENCRYPTED PRIVATE KEY";
  return [title, `-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

/** @throws {NethoodError} BAD_KEY for a key that is no Ed25519 key */
export function toWords(key: KeyObject): string {
  const seed = toSeed(key);
  if (seed !== undefined) return entropyToMnemonic(seed, wordlist);
  throw badKey("Only an Ed25519 key fits into 24 words.", "Export this one as a file.");
}

/**
 * Reads a key in any of the forms. What is wrong is told without a word of the key.
 *
 * @throws {NethoodError} BAD_KEY
 */
export function readKeyFile(bytes: Uint8Array, passphrase?: string): KeyObject {
  if (bytes.byteLength > MAX_KEY_FILE) throw badKey("This file is too large for a key.", FORMS);
  if (isProtobuf(bytes)) return fromProtobuf(bytes);
  const text = new TextDecoder().decode(bytes);
  if (text.includes("-----BEGIN ")) return fromPem(text, passphrase);
  // Nearly every file ends at its first digit or full stop, before it is cut into thousands of words.
  if (/^\s*[a-z][a-z\s]*$/i.test(text)) return fromWords(text.trim().toLowerCase().split(/\s+/));
  throw badKey("This is no private key in any form that is known here.", FORMS);
}

/** Whether a file has a private key in PEM, of any kind, readable or not. */
export function hasPrivatePem(bytes: Uint8Array): boolean {
  return /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/.test(new TextDecoder().decode(bytes));
}

function fromPem(text: string, passphrase: string | undefined): KeyObject {
  const blocks = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g)];
  const keys = blocks.filter(([, label]) => label!.endsWith("PRIVATE KEY"));
  const [key, ...more] = keys.map(([pem]) => pem);
  if (key === undefined) {
    throw blocks.length === 0
      ? damaged()
      : badKey(`This is no private key, but a ${blocks[0]![1]!.toLowerCase()}.`, FORMS);
  }
  if (more.length > 0) throw badKey("There is more than one key in this file.", FORMS);
  const encrypted = /ENCRYPTED/.test(key);
  if (encrypted && passphrase === undefined) {
    throw badKey(
      "This key is protected by a passphrase.",
      "Name a file that has it: --passphrase-file.",
    );
  }
  try {
    return createPrivateKey({ key, format: "pem", ...(encrypted && { passphrase }) });
  } catch (cause) {
    if (!encrypted) throw damaged(cause);
    throw badKey(
      "The passphrase does not open this key.",
      "Check the file that --passphrase-file names; or the key's file is damaged.",
      cause,
    );
  }
}

function fromWords(words: string[]): KeyObject {
  if (words.length !== WORDS) {
    throw badKey(`A key has ${WORDS} words, and here are ${words.length}.`, FORMS);
  }
  const wrong = words.findIndex((word) => !wordlist.includes(word));
  if (wrong !== -1) {
    throw badKey(
      `Word ${wrong + 1} is not in the list of words.`,
      "Look at how it is written: the first four letters tell all of them apart.",
    );
  }
  let seed: Uint8Array;
  try {
    seed = mnemonicToEntropy(words.join(" "), wordlist);
  } catch (cause) {
    throw badKey(
      "These words do not belong together.",
      "One of them is another one, or two have changed places.",
      cause,
    );
  }
  return fromSeed(seed);
}
