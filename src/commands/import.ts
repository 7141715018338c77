/** `nethood import`: the blocks of a CAR file. */
import { createReadStream } from "node:fs";
import process from "node:process";
import { NethoodError } from "../errors.ts";
import { type Run, start } from "./run.ts";

export const importFile: Run = async (settings, around, teller) => {
  const { argument: file } = settings;
  if (file === undefined) {
    throw new NethoodError(
      "BAD_OPTION",
      "import needs a CAR file, or - for the standard input.",
      {
        hint: `For example: ${around.run} import site.car`,
      },
    );
  }
  await using node = await start(settings, around, teller);
  const { signal } = around;
  const chunks = readChunks(file, signal);
  teller.imported(await node.import(chunks, { signal, onProgress: teller.importing }));
};

/** The bytes of a file, or for `-` of the standard input. */
async function* readChunks(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
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
    throw new NethoodError("BAD_CAR", `The file ${file} cannot be read.`, {
      cause,
      hint: "Check its name, and that you may read it.",
    });
  }
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
