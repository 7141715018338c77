/** Failures that a test expects, and moments that it waits for. */
import * as assert from "uvu/assert";
import { NethoodError } from "../../src/errors.ts";

/** What a promise was rejected with. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.unreachable("it did not fail");
}

/** The failure that a person would be told; any other is thrown on. */
export async function failure(promise: Promise<unknown>): Promise<NethoodError> {
  const error = await thrown(promise);
  if (error instanceof NethoodError) return error;
  throw error;
}

/** Waits until something is so; the suite's limit ends a wait in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
