/**
 * uvu, with its traps closed: a suite written as a closure always runs (a forgotten `.run()` reports success),
 * and there are no `before` hooks (a throwing one passes). Resources belong into `await using` inside a test.
 */
import { suite as uvuSuite, type Test } from "uvu";
import process from "node:process";

/** What a suite's body gets: call it with a name and a body; `left` says plainly what is not run here. */
export type Case = (name: string, body: () => Promise<void> | void) => void;

/** Longest time one test may take before it is a failure, in milliseconds. */
const LIMIT_MS = 120_000;

export function suite(
  name: string,
  define: (test: Case, left: (what: string, why: string) => void) => void,
  limit: number = LIMIT_MS,
): void {
  const cases: Test = uvuSuite(name);
  define((title, body) => {
    cases(`${name}: ${title}`, () => within(limit, `${name}: ${title}`, body));
  }, (what, why) => {
    if (process.env.NETHOOD_TEST_ALL) {
      cases(`${name}: ${what}`, () => {
        throw new Error(`not run: ${why}`);
      });
    } else console.log(`left out: ${name}: ${what} (${why})`);
  });
  cases.run();
}

/** Fails a test that hangs; an open handle would otherwise hold up the whole run silently. */
async function within(limit: number, title: string, body: () => Promise<void> | void) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${title} took over ${limit} ms`)), limit);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}
