#!/usr/bin/env -S deno run -P
/** The program's front door: `deno run -P node.ts --help`. */
import process from "node:process";

const deno =
  (globalThis as { Deno?: { permissions: { querySync(p: { name: string }): { state: string } } } })
    .Deno;
const missing = ["net", "read", "write", "env", "sys", "ffi"].filter((name) =>
  deno && deno.permissions.querySync({ name }).state !== "granted"
);

if (missing.length > 0) {
  console.error(
    `nethood: it may not use ${missing.join(", ")}; start it with: deno run -P node.ts`,
  );
  process.exit(1);
}

const { main } = await import("./src/cli.ts");
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The second time it is meant.
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error(name));
  });
}
process.exit(
  await main(process.argv.slice(2), {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    run: deno ? "deno run -P node.ts" : "node node.ts",
    signal: stop.signal,
  }),
);
