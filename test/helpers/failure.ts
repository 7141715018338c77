/** Failures that a test expects: one that does not come fails the test. */
import { inspect } from "node:util";
import * as assert from "uvu/assert";
import { type ErrorCode, NethoodError } from "../../src/errors.ts";

/** What a promise was rejected with. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  assert.unreachable(`it did not fail, and this came: ${inspect(result)}`);
}

/** The failure that a person would be told; any other is thrown on. */
export async function failure(promise: Promise<unknown>): Promise<NethoodError> {
  const error = await thrown(promise);
  if (error instanceof NethoodError) return error;
  throw error;
}

/** The failure of that code, for a closer look; sentences are checked here, once for all. */
export async function refusal(code: ErrorCode, work: () => unknown): Promise<NethoodError> {
  const error = await failure((async () => await work())());
  assert.is(error.code, code, error.message);
  assert.match(error.message, /^["A-Z/].*\.$/s);
  return error;
}
