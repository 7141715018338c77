/** What a call failed with: a test of an error that does not come must fail. */
import * as assert from "uvu/assert";
import { type ErrorCode, NethoodError } from "../../src/errors.ts";

/** The error of that code, for a closer look; sentences are checked here, once for all. */
export async function refusal(code: ErrorCode, work: () => unknown): Promise<NethoodError> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    if (!(error instanceof NethoodError)) throw error;
    assert.is(error.code, code, error.message);
    assert.match(error.message, /^["A-Z/].*\.$/s);
    return error;
  }
  assert.unreachable(`${code} was expected, and this came: ${JSON.stringify(result)}`);
  throw new Error("unreachable");
}
