/** Private keys that have got into a folder that is to be published. */
import type { KeyObject } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { unreadable } from "./content/folder.ts";
import type { FolderItem } from "./content/folder.ts";
import { NethoodError } from "./errors.ts";
import { ownerOf } from "./keys.ts";
import { hasPrivatePem, readKeyFile } from "./name/key-file.ts";
import type { Node } from "./node.ts";
import { createSlices } from "./pause.ts";

/** Larger files are not looked into, in bytes: an RSA key of 8,192 bits has 7 KB. */
const MAX_SIZE = 16 * 1024;

/** How files with keys are called: what people and programs name them, or nothing at all behind a dot. */
const NAMES = /\.(?:pem|key|p8|pk8|der|bin|bak|txt|asc|words)$|^[^.]+$/i;

/** Changed with what is taken for a key: then files are looked into again though they are as they were. */
export const SEARCH = "keys/1";

/** Paths of files with private keys that are not this node's. */
export interface Secrets {
  /** Those that a publisher should know of: of a server, or an example. */
  told: string[];
  /** All of them, in any form: each may become one of this node's. */
  found: string[];
}

/**
 * Looks for private keys among a site's files, before any of them is read into the content store.
 *
 * @throws {NethoodError} BAD_SITE where one is the key of a site of this node
 */
export async function findSecrets(
  node: Pick<Node, "helia" | "names">,
  items: readonly FolderItem[],
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Secrets> {
  const secrets: Secrets = { told: [], found: [] };
  const others = createSlices(signal);
  for (const { kind, size, path, file } of items) {
    signal?.throwIfAborted();
    if (kind !== "file" || size > MAX_SIZE || !NAMES.test(path.slice(path.lastIndexOf("/") + 1))) {
      continue;
    }
    const turn = others();
    if (turn) await turn;
    const bytes = read(path, file, size);
    const key = keyIn(bytes);
    const site = key && await ownerOf(node, key, { signal }) || titled(bytes);
    if (site !== undefined) {
      throw new NethoodError("BAD_SITE", `The file ${path} holds the private key of ${site}.`, {
        hint: "Move it out of the folder: whoever has it can publish in your name.",
      });
    }
    const told = hasPrivatePem(bytes);
    if (told) secrets.told.push(path);
    if (told || key) secrets.found.push(path);
  }
  return secrets;
}

function read(path: string, file: string, size: number): Uint8Array {
  try {
    const handle = openSync(file, "r");
    try {
      const bytes = new Uint8Array(size);
      return bytes.subarray(0, readSync(handle, bytes, 0, size, 0));
    } finally {
      closeSync(handle);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function keyIn(bytes: Uint8Array): KeyObject | undefined {
  try {
    return readKeyFile(bytes);
  } catch (error) {
    // Nearly every file is none; and one that needs a passphrase says whose it is in its first line.
    if (error instanceof NethoodError) return undefined;
    throw error;
  }
}

/** The site that our own export names, for a key that cannot be opened. */
function titled(bytes: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(bytes.subarray(0, 1024));
  return /^Nethood: the key of ([a-z0-9._-]+), \/ipns\/k[a-z0-9]+\r?\n-----BEGIN /m.exec(text)?.[1];
}
