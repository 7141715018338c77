/** The measuring instrument itself: where the answer is known beforehand, the bench finds it. */
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { createLab, labAvailable } from "../helpers/lab.ts";
import { suite } from "../helpers/suite.ts";
import { type Conditions, least } from "./crowd/conditions.ts";
import { http } from "./crowd/contestants.ts";
import { createContent } from "./crowd/content.ts";
import { createCpuMeter } from "./crowd/machine.ts";
import { runCrowd } from "./crowd/run.ts";

const MIB = 1024 * 1024;

/** Works for a while, as its child does before it; tells what the system says that both took, in seconds. */
const BURN = `
  import { spawnSync } from "node:child_process";
  import process from "node:process";
  const [program, ...words] = process.argv.slice(2);
  const child = program ? Number(spawnSync(program, words, { encoding: "utf8" }).stdout) : 0;
  const total = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
  for (const end = total() + 0.3; total() < end;) for (let n = 0; n < 1e6; n++) Math.sqrt(n);
  console.log(program ? JSON.stringify({ event: "burnt", seconds: total() + child }) : total());
  if (program) process.stdin.resume();
`;

suite("bench: crowd", (test, left) => {
  test("the least time is the seeder's, the reader's or everybody's", () => {
    const crowd = (up: number, down: number, seedUp = up): Conditions => ({
      readers: 9,
      wanted: "site",
      rates: { up, down, seedUp },
    });
    const byte = 1 / 8;
    assert.is(least(crowd(20, 100), 100 * byte), 5, "one copy has to leave the seeder");
    assert.is(least(crowd(50, 10), 100 * byte), 10, "one copy has to reach a reader");
    assert.is(least(crowd(10, 500, 110), 100 * byte), 4.5, "nine copies have to leave somebody");
    assert.is(least({ ...crowd(10, 500, 140), leavers: true }, 100 * byte), 3, "six stay");
  });

  test("a site has 60 files and 2.4 MB, the same at every run", async () => {
    await using dir = await createFolder();
    const [one, other] = [
      await createContent(join(dir.path, "one"), "site"),
      await createContent(join(dir.path, "other"), "site"),
    ];
    assert.is(one.bytes, other.bytes);
    assert.ok(Math.abs(one.bytes - 2_400_000) < 20_000, `${one.bytes} bytes`);
    assert.is.not(one.sha, other.sha, "with bytes of its own");
  });

  const missing = labAvailable({ rates: true }) ?? http.missing();
  if (missing !== undefined) return left("runs", missing);

  test("HTTP takes as many times the least as there are readers", async () => {
    const rates = { up: 8e6, down: 80e6 };
    const run = await runCrowd(http, { readers: 3, wanted: { mib: 1 }, rates });
    assert.equal(run.failures, []);
    assert.is(run.seconds.length, 3);
    assert.ok(Math.abs(run.least - MIB * 8 / 8e6) < 1e-6);
    assert.ok(run.ratio! > 2.8 && run.ratio! < 3.6, `ratio: ${run.ratio}`);
    assert.ok(run.seederCopies > 3 && run.seederCopies < 3.4, `sent ${run.seederCopies}`);
    assert.ok(run.readerCopies > 1 && run.readerCopies < 1.2, `received ${run.readerCopies}`);
  });

  test("a reader that does not get everything is told", async () => {
    const rates = { up: 8e6, down: 80e6 };
    // This seeder names no leaves: its readers have every one of them at once, and its cable is pulled at the start.
    const run = await runCrowd(http, { readers: 1, wanted: { mib: 0.5 }, rates, kill: "cable" });
    assert.ok(run.seederGone! < 0.5, `gone at ${run.seederGone}`);
    assert.is(run.ratio, undefined);
    assert.is(run.failures.length, 1);
    assert.match(run.failures[0]!, /^r1: /);
  });

  test("processor time is that of a host's processes, and of their children", async () => {
    await using lab = await createLab({ hosts: ["a"] });
    await using dir = await createFolder({ "burn.mjs": BURN });
    const words = [...(process.versions.deno ? ["run", "-A"] : []), join(dir.path, "burn.mjs")];
    const meter = createCpuMeter();
    await meter.look(lab.hosts.a.namespace);
    const child = [process.execPath, ...words];
    await using burner = lab.hosts.a.spawn(process.execPath, [...words, ...child], {
      listens: true,
    });
    const seconds = Number((await burner.events.until("burnt")).seconds);
    await meter.look(lab.hosts.a.namespace);
    const took = meter.seconds();
    assert.ok(Math.abs(took - seconds) < 0.2, `${took} s, not ${seconds} s`);
    await meter.look(lab.hosts.a.namespace);
    assert.ok(meter.seconds() - took < 0.2, "what was counted is not counted again");
  });
});
