/** Where `get` puts what it reads: a file or folder that appears under its name only when it is whole, or a stream. */
import { createWriteStream } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, stat, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { members } from "./content/tar.ts";
import { NethoodError, systemCode } from "./errors.ts";

type Bytes = AsyncIterable<Uint8Array>;
type Options = { signal?: AbortSignal };

/** Writes all to a stream that stays open, at the pace at which it is taken. */
export function pour(bytes: Bytes, to: Writable, options: Options = {}): Promise<void> {
  return pipeline(Readable.from(bytes, { objectMode: false }), to, { ...options, end: false });
}

/**
 * Writes all to a file. One that is there already is replaced at the end, not before.
 *
 * @throws {NethoodError} FILE_UNWRITABLE, DISK_FULL
 */
export async function save(bytes: Bytes, file: string, options: Options = {}): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory()) throw unwritable(file, "It is a folder.");
  // A pipe or a device is written to, not replaced; a link stays one.
  const target = there?.isFile() ? await realpath(file) : file;
  const direct = there !== undefined && !there.isFile();
  const part = direct ? target : `${target}.part`;
  try {
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(part), options);
    if (!direct) await rename(part, target);
  } catch (error) {
    if (!direct) await rm(part, { force: true }).catch(() => undefined); // The first error counts.
    throw explain(error, file);
  }
}

/**
 * Writes a folder where none is, or an empty one: nothing that is there is mixed with what a stranger named.
 *
 * @param all the folder itself first, then each part of it after the folder that it is in
 * @returns how many files there are
 * @throws {NethoodError} FILE_UNWRITABLE, DISK_FULL
 */
export async function saveFolder(
  all: ReturnType<typeof members>,
  dir: string,
  { signal }: Options = {},
): Promise<number> {
  await checkFree(dir);
  const part = `${dir.replace(/\/+$/, "")}.part`;
  const place = (name: string) => join(part, ...name.split("/").slice(1));
  let files = 0;
  try {
    await rm(part, { recursive: true, force: true });
    for await (const { header, body } of all) {
      signal?.throwIfAborted();
      const { name, type, linkname, pax } = header;
      const path = place(name);
      // A name may be a path of its own.
      await mkdir(type === "directory" ? path : dirname(path), { recursive: true });
      if (type === "directory") continue;
      if (type === "symlink") await symlink(linkname || pax!.linkpath!, path);
      else {
        const bytes = Readable.from(body instanceof Uint8Array ? [body] : body as Bytes);
        // A second file of that name would be another's: capitals are not told apart everywhere.
        await pipeline(bytes, createWriteStream(path, { flags: "wx" }), { signal });
        files++;
      }
    }
    await rename(part, dir);
    return files;
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => undefined); // The first error counts.
    throw explain(error, dir);
  }
}

/** @throws {NethoodError} FILE_UNWRITABLE where something is that a new folder may not replace */
export async function checkFree(dir: string): Promise<void> {
  const there = await stat(dir).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isDirectory()) throw unwritable(dir, "A file is there, and a folder is to come.");
  const names = await readdir(dir).catch((error) => {
    throw explain(error, dir);
  });
  if (names.length > 0) throw unwritable(dir, "It is there already, and is not empty.");
}

function explain(error: unknown, file: string): unknown {
  if (error instanceof NethoodError) return error;
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new NethoodError("DISK_FULL", `The disk for ${file} is full.`, {
        cause: error,
        hint: "Free some space, or name a file on another disk with -o.",
      });
    case "ENOENT":
      return unwritable(file, "There is no such folder.", error);
    case "ENOTDIR":
      return unwritable(file, "What should be a folder on its way is a file.", error);
    case "EEXIST":
      return unwritable(file, "Two things in it have one name on this disk.", error);
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return unwritable(file, "You may not write there.", error);
    default:
      return error;
  }
}

function unwritable(file: string, why: string, cause?: unknown): NethoodError {
  return new NethoodError("FILE_UNWRITABLE", `${file} cannot be written. ${why}`, {
    cause,
    hint: "Name another place with -o.",
  });
}
