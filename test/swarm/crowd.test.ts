/** A flash crowd: four readers at once, each behind a thin line, are done in little more than the least time possible. */
import * as assert from "uvu/assert";
import { nethood } from "../bench/crowd/contestants.ts";
import { line } from "../bench/crowd/report.ts";
import { runCrowd } from "../bench/crowd/run.ts";
import { labAvailable } from "../helpers/lab.ts";
import { suite } from "../helpers/suite.ts";

/** The last reader's time ÷ the least possible. Four readers who all take everything from the seeder need more than four. */
const MOST = 1.6;

/** Blocks small enough for a crowd to have something to give while the file is still coming. */
const CHUNK = 64 * 1024;

suite("crowd", (test, left) => {
  const title = `four readers need at most ${MOST} times the least time possible`;
  const missing = labAvailable({ rates: true });
  if (missing !== undefined) return left(title, missing);
  test(title, async () => {
    const run = await runCrowd(nethood(CHUNK), {
      readers: 4,
      wanted: { mib: 4 },
      rates: { up: 5e6, down: 25e6 },
    });
    assert.equal(run.failures, []);
    assert.ok(run.ratio !== undefined && run.ratio <= MOST, line(run));
  });
});
