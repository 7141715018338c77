/** Where `get` puts what it reads: a file that appears under its name only when it is whole, or a stream. */
import { createWriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
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
    hint: "Name another file with -o.",
  });
}
