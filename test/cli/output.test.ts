/** Where content and news go: content to the standard output or whole into a file, JSON lines for programs. */
import { randomBytes } from "node:crypto";
import { existsSync, lstatSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Writable } from "node:stream";
import * as assert from "uvu/assert";
import { createTeller } from "../../src/teller.ts";
import { createFolder } from "../helpers/folder.ts";
import { localhost } from "../helpers/process.ts";
import {
  commandLine,
  complains,
  HELLO,
  onDeno,
  onTerminal,
  outcome,
  ROOT,
  run,
  RUNTIME,
  startNode,
} from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

suite("output", (test) => {
  test("a site on a terminal and as JSON: the record, where to look, what readers type", async () => {
    await using dir = await createFolder();
    const site = await makeSite(dir.path);
    const own = { dir: join(dir.path, "node") };
    await using seeder = await startNode(["seed", site, "--name", "docs.example.org"], own);
    const { dnslink, cid, name } = await seeder.events.until("seed:done");
    await seeder.stop();
    for await (const line of seeder.stdout) JSON.parse(line);

    // `timeout` sends what Ctrl-C does, and ends with what the program ends with
    const seed = ["seed", site, "--name", "docs.example.org", "--port", "0"];
    const line = ["timeout", "--preserve-status", "-s", "INT", "5"];
    const { said, code } = await onTerminal([], {
      line: [...line, ...commandLine(seed, own)] as [string],
    });
    assert.is(code, 0, said);
    assert.ok(said.includes(`\n  ${dnslink}\n`), said);
    assert.match(said, `CID          ${cid}\n`);
    assert.ok(said.includes("Hashing: 100 %, 3 of 3 files, 3.0 MiB of 3.0 MiB\x1b[K\n"), said);
    assert.match(said, /docs\.example\.org is published: 3 files, 3\.0 MiB\./);
    assert.match(said, new RegExp(`Look at it   http://localhost:\\d+/ipns/${name}/\n`));
    assert.match(said, /http:\/\/docs\.example\.org\/ +with the node as the browser's HTTP proxy/);
    assert.match(said, /Gateway +http:\/\/localhost:\d+\/\n/);
    assert.match(said, /Neighbours +none yet/);
    assert.ok(said.trim().endsWith("Stopping."), said);
  });

  test("get: a folder gives its index, one without it names what it has", async () => {
    await using dir = await createFolder();
    const site = await makeSite(dir.path);
    const own = { dir: join(dir.path, "node") };
    const { cid } = await seeded(site, own);
    assert.is((await run(["get", `/ipfs/${cid}`], own)).stdout.trim(), "<h1>index</h1>");
    const folder = await run(["get", `/ipfs/${cid}/sub`], own);
    complains(
      folder,
      1,
      /is a folder without an index\.html\.\n +Add the name of a file in it: a\.txt$/m,
    );
    complains(await run(["get", `/ipfs/${cid}/sub/b`], own), 1, /\/sub has nothing called "b"/);

    // into a file, silently, and over a link to it
    const [file, link] = [join(dir.path, "got.bin"), join(dir.path, "link")];
    await writeFile(file, "before");
    await symlink(file, link);
    const quiet = await run(["get", `/ipfs/${cid}/sub/a.txt`, "-o", link], own);
    assert.equal([quiet.code, quiet.stdout, quiet.said], [0, "", ""]);
    assert.is(await readFile(file, "utf8"), "a");
    const json = await run(["get", `/ipfs/${cid}/big.bin`, "-o", file, "--json"], own);
    const done = JSON.parse(json.stdout.trim().split("\n").at(-1)!);
    assert.equal([done.event, done.file, done.bytes], ["get:done", file, 3 * MIB]);
    assert.equal(await readFile(file), await readFile(join(site, "big.bin")));
    assert.equal((await readdir(dir.path)).filter((name) => name.endsWith(".part")), []);

    // to somebody who has read enough
    const [program, ...args] = commandLine(["get", `/ipfs/${cid}/big.bin`], own);
    const pipe = '"$@" | head -c 1 >/dev/null; echo "${PIPESTATUS[0]}"';
    const shell = ["-c", pipe, "-", program, ...args];
    const closed = await outcome(localhost.spawn("bash", shell));
    assert.equal([closed.stdout, closed.said], ["141\n", ""]);
  });

  test("get -o: to where nothing can be written, and to a device", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    await writeFile(join(dir.path, "file"), "");
    const to = (file: string) => run(["get", HELLO, "-o", file], own);
    complains(await to(dir.path), 1, /cannot be written\. It is a folder\.\n +Name another place/);
    complains(await to(join(dir.path, "no", "x")), 1, /written\. There is no such folder\.\n/);
    complains(await to(join(dir.path, "file", "x")), 1, /written\. What should be a folder/);
    // as root, a careless rename would put a file in the device's place
    const pipe = join(dir.path, "pipe");
    await localhost.run("mkfifo", [pipe]);
    await using reader = localhost.spawn("cat", [pipe]);
    assert.is((await to(pipe)).code, 0);
    assert.ok(lstatSync(pipe).isFIFO(), "a file was put in its place");
    assert.is((await outcome(reader)).stdout, "Hello, reader!\n");
    assert.not.ok(existsSync(`${pipe}.part`));
  });

  test("get -o: on a terminal, a long download tells how far it is; a program gets events", async () => {
    using clock = stopClock();
    const told = async (isTTY: boolean, json: boolean) => {
      let seen = "";
      const write = (chunk: unknown, _: string, done: () => void) => (seen += chunk, done());
      const [stdout, stderr] = [new Writable({ write }), new Writable({ write })];
      Object.assign(stderr, { isTTY });
      const teller = createTeller({ stdout, stderr }, { json });
      for await (const _ of teller.receiving(arriving(clock), 5 * MIB));
      return seen;
    };
    // a second of silence; then ten times a second to a person
    assert.is(
      (await told(true, false)).replaceAll("\x1b[K", "\n"),
      "\r40 %, 2.0 MiB of 5.0 MiB, 1.8 MiB/s\n" +
        "\r80 %, 4.0 MiB of 5.0 MiB, 3.3 MiB/s\n" +
        "\r100 %, 5.0 MiB of 5.0 MiB, 1.5 MiB/s\n",
    );
    assert.is(await told(false, false), "");
    // and every two seconds to a program
    const events = (await told(false, true)).trim().split("\n").map((line) => JSON.parse(line));
    const event = (bytes: number, ms: number) => ({
      event: "get:progress",
      bytes,
      totalBytes: 5 * MIB,
      rate: Math.round(bytes * 1000 / ms),
    });
    assert.equal(events, [event(2 * MIB, 1_100), event(5 * MIB, 3_300)]);
  });

  test("what nobody caught is a sentence, too; --debug says where it arose", async () => {
    await using dir = await createFolder();
    const [, ...words] = commandLine(["--port", "0"], { dir: join(dir.path, "node") });
    const config = ["run", "-A", "--config", join(ROOT, "deno.json")];
    const program = pathToFileURL(join(ROOT, "node.ts")).href;
    const went = async (wrong: string, ...more: string[]) => {
      const bad = join(dir.path, "bad.mjs");
      await writeFile(bad, `setTimeout(() => { ${wrong} }, 1500);\nawait import("${program}");`);
      const args = [...(onDeno ? config : []), bad, ...words.slice(onDeno ? 3 : 1), ...more];
      return await outcome(localhost.spawn(RUNTIME, args));
    };
    const sentence = "nethood: out of the blue\n" +
      "         This was not foreseen. Please report it, with what --debug adds to it.";
    const rejected = await went('Promise.reject(new Error("out of the blue"))');
    assert.is(rejected.code, 1);
    assert.is(rejected.said.trim(), sentence);
    const thrown = await went('throw new Error("out of the blue")', "--debug");
    assert.is(thrown.code, 1);
    assert.ok(thrown.said.startsWith(sentence), thrown.said);
    assert.match(thrown.said, /^\s+at .*bad\.mjs/m);
  });
});

async function makeSite(dir: string): Promise<string> {
  const site = join(dir, "site");
  await mkdir(join(site, "sub"), { recursive: true });
  await writeFile(join(site, "index.html"), "<h1>index</h1>");
  await writeFile(join(site, "sub", "a.txt"), "a");
  await writeFile(join(site, "big.bin"), randomBytes(3 * MIB));
  return site;
}

async function seeded(site: string, own: { dir: string }) {
  await using seeder = await startNode(["seed", site, "--name", "docs.example.org"], own);
  return await seeder.events.until("seed:done");
}

/** 5 MiB, a piece after each of these milliseconds. */
async function* arriving(clock: { ms: number }): AsyncGenerator<Uint8Array> {
  for (const wait of [0, 1_100, 50, 60, 2_090]) {
    clock.ms += wait;
    yield await Promise.resolve(new Uint8Array(MIB));
  }
}

/** The clock of this program, which moves when the test says so, until it leaves scope. */
function stopClock(): Disposable & { ms: number } {
  const { now } = Date;
  const clock = { ms: now(), [Symbol.dispose]: () => void (Date.now = now) };
  Date.now = () => clock.ms;
  return clock;
}
