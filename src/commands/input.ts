/** What a command reads: a file, or the standard input. */
import { createReadStream } from "node:fs";
import process from "node:process";
import { NethoodError } from "../errors.ts";

/** More than that is no passphrase. */
const MAX_PASSPHRASE_BYTES = 4_096;

/**
 * The bytes of a file, or for `-` of the standard input.
 *
 * @param unreadable what is thrown where they cannot be read
 */
export async function* readInput(
  file: string,
  signal: AbortSignal,
  unreadable: (cause: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  try {
    const stream = file === "-" ? process.stdin : createReadStream(file);
    const chunks: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
    // Not the stream's own signal: it would wait for what a pipe may send in an hour.
    for (;;) {
      const { value, done } = await orAbort(chunks.next(), signal);
      if (done) return;
      yield value;
    }
  } catch (cause) {
    signal.throwIfAborted();
    throw unreadable(cause);
  }
}

/** All of it, up to more than `max` bytes. */
export async function readAll(chunks: AsyncIterable<Uint8Array>, max: number): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    all.push(chunk);
    size += chunk.byteLength;
    if (size > max) break;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of all) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** The one line of a file, or for `-` of the standard input. @throws {NethoodError} BAD_OPTION */
export async function readPassphrase(file: string, signal: AbortSignal): Promise<string> {
  const wrong = (message: string, hint: string) =>
    new NethoodError("BAD_OPTION", message, { hint });
  const unreadable = () =>
    wrong(`The file ${file} cannot be read.`, "Check its name, and that you may read it.");
  const bytes = await readAll(readInput(file, signal, unreadable), MAX_PASSPHRASE_BYTES);
  // The end of the line is the editor's, spaces may be meant.
  const passphrase = new TextDecoder().decode(bytes).replace(/\r?\n$/, "");
  if (passphrase !== "" && !/[\r\n]/.test(passphrase)) return passphrase;
  throw wrong(
    `The file ${file} is not one line with a passphrase.`,
    "Write the passphrase into its first line.",
  );
}

/** What comes first: the result, or the end of waiting for it. */
async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
