/** A limit to the wait for a first byte. */
import type { NethoodError } from "../src/errors.ts";

export interface PatienceOptions {
  /** In milliseconds. */
  patience: number;
  /** Aborted when the wait is over, so that the work ends too. */
  client: AbortController;
  /** What is said of it. */
  late: () => NethoodError;
}

/** @throws what `late` gives, even where the work does not heed its signal */
export async function withPatience(
  work: Promise<Response>,
  { patience, client, late }: PatienceOptions,
): Promise<Response> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = late();
    over.reject(error);
    client.abort(error);
    // An answer that comes all the same is for nobody.
    work.then((response) => response.body?.cancel()).catch(() => undefined);
  }, patience);
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
