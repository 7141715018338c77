/**
 * The IPFS gateway conformance suite (github.com/ipfs/gateway-conformance, 0.13.2), run against the node that a person
 * starts: `deno task conformance`. Content comes to it by ordinary means: a CAR file by `import`, IPNS records by the routing
 * API, DNS names by `--name-map`. The last line is `N passed, N failed`.
 *
 * `GATEWAY_CONFORMANCE` names the suite's own program, or another that knows `fixtures DIR` and `test URL SUBDOMAIN_URL` and
 * ends with the same line.
 */
import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { localhost } from "./helpers/process.ts";
import { run, startNode, text } from "./helpers/program.ts";
import { createFolder } from "./helpers/folder.ts";

/** The name of the gateway in the suite's tests. It is forged: nothing is looked up. */
const HOST = "example.com";

/** What a record must be refused for; all the others of the suite are good. */
const REFUSED = /_v1_\d+\.|_v1-v2-broken-signature-v2_|_v1-v2-broken-v1-value_/;

/** How long the suite may take, in milliseconds; it takes half a minute once it is built. */
const LIMIT_MS = 480_000;

const HOW =
  `GATEWAY_CONFORMANCE does not say where the conformance suite is. With Go 1.25 or later, get it with

  git clone --branch v0.13.2 https://github.com/ipfs/gateway-conformance
  (cd gateway-conformance && go build ./cmd/gateway-conformance)
  export GATEWAY_CONFORMANCE_HOME=$PWD/gateway-conformance
  export GATEWAY_CONFORMANCE=$GATEWAY_CONFORMANCE_HOME/gateway-conformance
`;

interface Suite {
  /** Writes what the gateway must have into a folder. */
  fixtures(dir: string): Promise<void>;
  /** Runs all tests, and prints the failures. */
  test(url: string, subdomains: string): Promise<Count>;
}

interface Count {
  passed: number;
  failed: number;
}

const program = process.env.GATEWAY_CONFORMANCE;
if (!program) {
  console.error(HOW);
  process.exit(1);
}
const { passed, failed } = await conformance(program);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

async function conformance(program: string): Promise<Count> {
  await using temp = await createFolder();
  const suite = isOriginal(program) ? original(program, temp.path) : wrapped(program);
  const fixtures = join(temp.path, "fixtures"), dir = join(temp.path, "node");
  await suite.fixtures(fixtures);
  const imported = await run(["import", join(fixtures, "fixtures.car")], { dir });
  if (imported.code !== 0) throw new Error(`The fixtures were not taken in: ${imported.said}`);
  const names = (await text(join(fixtures, "dnslinks.IPFS_NS_MAP"))).trim();
  await using node = await startNode(
    ["--name-map", names, "--gateway-host", HOST, "--trust-proxy", "127.0.0.1"],
    { dir },
  );
  await putRecords(fixtures, node.gateway);
  return await suite.test(node.gateway, `http://${HOST}:${new URL(node.gateway).port}`);
}

async function putRecords(dir: string, gateway: string): Promise<void> {
  for (const file of (await readdir(dir)).filter((file) => file.endsWith(".ipns-record"))) {
    const { status } = await fetch(`${gateway}/routing/v1/ipns/${file.split("_")[0]}`, {
      method: "PUT",
      headers: { "Content-Type": "application/vnd.ipfs.ipns-record" },
      body: await readFile(join(dir, file)),
    });
    const expected = REFUSED.test(file) ? 400 : 200;
    if (status !== expected) throw new Error(`PUT of ${file}: ${status}, not ${expected}`);
  }
}

/** Only the suite's own program tells its version. */
function isOriginal(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

function original(program: string, temp: string): Suite {
  const report = join(temp, "report.json");
  return {
    async fixtures(dir) {
      await lines(program, ["extract-fixtures", "--merged=true", "--dir", dir]);
    },
    async test(url, subdomains) {
      const to = ["--gateway-url", url, "--subdomain-url", subdomains, "--json", report];
      await lines(program, ["test", ...to], { mayFail: true });
      // Each case is a test in one of its groups: GROUP/CASE.
      const cases = (await text(report)).split("\n").filter(Boolean)
        .map((line) => JSON.parse(line) as { Action: string; Test?: string })
        .filter(({ Action, Test }) =>
          /^(pass|fail)$/.test(Action) && /^[^/]+\/[^/]+$/.test(Test ?? "")
        );
      const failures = cases.filter(({ Action }) => Action === "fail");
      for (const { Test } of failures) console.log(`FAIL: ${Test}`);
      return { passed: cases.length - failures.length, failed: failures.length };
    },
  };
}

function wrapped(program: string): Suite {
  return {
    async fixtures(dir) {
      await lines(program, ["fixtures", dir]);
    },
    async test(url, subdomains) {
      const said = await lines(program, ["test", url, subdomains], { mayFail: true });
      const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(said.at(-1) ?? "") ?? [];
      for (const line of said.slice(0, passed === undefined ? undefined : -1)) console.log(line);
      if (passed === undefined) throw new Error(`${program} ended without a count`);
      return { passed: Number(passed), failed: Number(failed) };
    },
  };
}

/** What a program prints, line by line. */
async function lines(
  program: string,
  args: string[],
  { mayFail = false }: { mayFail?: boolean } = {},
): Promise<string[]> {
  await using child = localhost.spawn(program, args);
  const late = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  const said: string[] = [];
  for await (const line of child.stdout) said.push(line);
  const { code, signal } = await child.exit;
  clearTimeout(late);
  // A suite that found failures ends with 1; whatever else is wrong shows in its report.
  if (code === 0 || mayFail && code === 1) return said;
  throw new Error(`${program} ${args[0]} ended with ${code ?? signal}:\n${child.log.trim()}`);
}
