#!/usr/bin/env -S deno run -P
/** The program's front door: `deno run -P node.ts --help`. */
import process from "node:process";

interface Deno {
  permissions: { querySync(permission: { name: string }): { state: string } };
}
const deno = (globalThis as { Deno?: Deno }).Deno;
const run = deno ? "deno run -P node.ts" : "node node.ts";

// Asked for here, since Deno would ask again and again in the middle of things, or fail there.
const missing = ["net", "read", "write", "env", "sys", "ffi"].filter((name) =>
  deno && deno.permissions.querySync({ name }).state !== "granted"
);
if (missing.length > 0) {
  console.error(`nethood: It may not use ${missing.join(", ")}.\n         Start it with: ${run}`);
  process.exit(1);
}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The second time it is meant.
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error(name));
  });
}

const { lastWords, main } = await import("./src/cli.ts");
const argv = process.argv.slice(2);
const { env, stdout, stderr } = process;
const around = { env, stdout, stderr, run, signal: stop.signal };
// A promise whose failure nobody handles ends here, too.
process.on("uncaughtException", (error) => process.exit(lastWords(error, argv, around)));
process.exit(await main(argv, around));
