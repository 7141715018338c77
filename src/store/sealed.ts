/**
 * Private keys sealed with a passphrase, where a person wants one: whoever gets the file of records, or a copy of it, cannot
 * publish in the names of its sites. Everything else in it stays as it is, and nobody is asked for anything while a node runs.
 */
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { Key } from "interface-datastore";
import { NethoodError } from "../errors.ts";
import { RecordDatastore } from "./datastore.ts";
import type { Records } from "./records.ts";

/** What is sealed: where the keychain has its private keys. */
const SEALED = "/pkcs8/";

/** Says that they are: the salt of the passphrase, and something to try it on. */
const LOCK = new Key("/nethood/keys-locked");

/** What every guess costs (OWASP Password Storage Cheat Sheet, 2023, "scrypt"): about a fifth of a second, and 32 MiB. */
const COST = { N: 2 ** 15, r: 8, p: 3, maxmem: 64 * 1024 * 1024 };

const KEY_BYTES = 32, SALT_BYTES = 16, NONCE_BYTES = 12, TAG_BYTES = 16;

const derive: (
  passphrase: string,
  salt: Uint8Array,
  bytes: number,
  cost: object,
) => Promise<Buffer> = promisify(scrypt);

/**
 * A node's datastore. With a passphrase its private keys are sealed from then on; those that were not yet are at once.
 *
 * @throws {NethoodError} BAD_KEY where the keys are sealed with another passphrase, or with one that is not given
 */
export async function openDatastore(
  records: Records,
  passphrase: string | undefined,
): Promise<RecordDatastore> {
  const plain = new RecordDatastore(records);
  const lock = plain.has(LOCK) ? Buffer.from(plain.get(LOCK)) : undefined;
  if (passphrase === undefined) {
    if (lock === undefined) return plain;
    throw new NethoodError("BAD_KEY", "The keys in this folder are protected by a passphrase.", {
      hint: "Name a file that has it: --keys-passphrase-file.",
    });
  }
  const salt = lock?.subarray(0, SALT_BYTES) ?? randomBytes(SALT_BYTES);
  const key = await derive(passphrase.normalize(), salt, KEY_BYTES, COST);
  const sealed = new SealedDatastore(records, key);
  if (lock !== undefined) {
    try {
      open(key, LOCK, lock.subarray(SALT_BYTES));
    } catch (cause) {
      throw new NethoodError("BAD_KEY", "The passphrase does not open the keys in this folder.", {
        cause,
        hint: "Check the file that --keys-passphrase-file names.",
      });
    }
    return sealed;
  }
  // What was there before is to be overwritten, and not only forgotten.
  records.run("PRAGMA secure_delete = ON");
  const range = [SEALED, `${SEALED}\u{10FFFF}`];
  const sql = "SELECT key, value FROM kv WHERE key >= ? AND key < ?";
  records.transaction(() => {
    for (const row of records.all<{ key: string; value: Uint8Array }>(sql, ...range)) {
      sealed.put(new Key(row.key), row.value);
    }
    plain.put(LOCK, Buffer.concat([salt, seal(key, LOCK, new Uint8Array())]));
  });
  records.get("PRAGMA wal_checkpoint(TRUNCATE)");
  return sealed;
}

class SealedDatastore extends RecordDatastore {
  readonly #key: Uint8Array;

  constructor(records: Records, key: Uint8Array) {
    super(records);
    this.#key = key;
  }

  override put(key: Key, value: Uint8Array): Key {
    return super.put(key, isSealed(key) ? seal(this.#key, key, value) : value);
  }

  override get(key: Key): Uint8Array {
    const value = super.get(key);
    return isSealed(key) ? open(this.#key, key, value) : value;
  }
}

function isSealed(key: Key): boolean {
  return key.toString().startsWith(SEALED);
}

/** A nonce, the value in AES-256-GCM, and the tag. Its place is a part of it: none can be put in that of another. */
function seal(key: Uint8Array, at: Key, value: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(at.toString()));
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
}

/** @throws {Error} for another key, place or value */
function open(key: Uint8Array, at: Key, sealed: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  }).setAAD(Buffer.from(at.toString())).setAuthTag(sealed.subarray(-TAG_BYTES));
  const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]);
}
