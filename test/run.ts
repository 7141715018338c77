/**
 * Runs the tests on Deno or Node: `run.ts [PATTERN]`, where the pattern picks among the `.test.ts` files by path.
 * It is uvu, with two of its traps closed: a run without tests is a failure, as is a file without a suite, and the
 * process ends when the tests have, since a stopped libp2p can leave a handle open under Deno.
 */
import { constants } from "node:os";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "uvu/parse";
import { run } from "uvu/run";

/** What uvu keeps between its files: a list of suites for each of them. */
const state = globalThis as unknown as { UVU_QUEUE: unknown[][] };

const pattern = new RegExp(process.argv[2] ?? "", "i");
const found = await parse(fileURLToPath(new URL(".", import.meta.url)), "\\.test\\.ts$");
const suites = found.suites
  .filter(({ name }) => pattern.test(name))
  // uvu puts "file:///" before the path; without this the module would have a second, doubled name
  .map(({ name, file }) => ({ name, file: pathToFileURL(file).href.slice("file:///".length) }));

// an exit, unlike the signal itself, gives the helpers the chance to clear away what they started
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}

let total = 0, passed = 0;
const write = process.stdout.write;
process.stdout.write = function (chunk: string | Uint8Array, ...rest: never[]): boolean {
  total = Number(/^\n {2}Total: +(\d+)/.exec(String(chunk))?.[1] ?? total);
  passed = Number(/\n {2}Passed: +(\d+)/.exec(String(chunk))?.[1] ?? passed);
  return write.call(process.stdout, chunk, ...rest);
};

await run(suites);

const silent = suites.filter((_, index) => state.UVU_QUEUE[index]?.length === 0);
for (const { name } of silent) console.error(`${name} has no suite`);
if (total === 0) console.error(`no tests${process.argv[2] ? ` match ${process.argv[2]}` : ""}`);
process.exit(silent.length > 0 || total === 0 || passed < total ? 1 : process.exitCode);
