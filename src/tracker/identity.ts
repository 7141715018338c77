/** Who the tracker is: a key in a file of its own, which no damage to the tables reaches. */
import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
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
  try {
    await mkdir(dir, { recursive: true });
    return await make(file);
  } catch (error) {
    throw unusable(file, error);
  }
}

/** Trackers that share a store may share the folder, and start at once: the first one's key is that of all. */
async function make(file: string): Promise<PrivateKey> {
  const key = await generateKeyPair("Ed25519");
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, privateKeyToProtobuf(key), { mode: 0o600, flag: "wx" });
  try {
    await link(draft, file);
    return key;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return privateKeyFromProtobuf(await readFile(file));
    // Some disks know no second name of a file.
    await rename(draft, file);
    return key;
  } finally {
    await rm(draft, { force: true });
  }
}

function unusable(file: string, cause: unknown): NethoodError {
  return new NethoodError("DIR_UNWRITABLE", `The tracker's key ${file} cannot be used.`, {
    cause,
    hint: "Check who may read and write it, or choose another folder with --dir.",
  });
}
