/** Who the tracker is: a key in a file of its own, which no damage to the tables reaches. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import type { PrivateKey } from "@libp2p/interface";
import { NethoodError, systemCode } from "../errors.ts";

/** The key of a folder, made where there is none. @throws {NethoodError} DIR_UNWRITABLE */
export async function identityOf(dir: string): Promise<PrivateKey> {
  const file = join(dir, "tracker.key");
  try {
    return privateKeyFromProtobuf(await readFile(file));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw unusable(file, error);
  }
  const key = await generateKeyPair("Ed25519");
  try {
    await mkdir(dir, { recursive: true });
    await writeFile(file, privateKeyToProtobuf(key), { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw unusable(file, error);
  }
  return key;
}

function unusable(file: string, cause: unknown): NethoodError {
  return new NethoodError("DIR_UNWRITABLE", `The tracker's key ${file} cannot be used.`, {
    cause,
    hint: "Check who may read and write it, or choose another folder with --dir.",
  });
}
