/** The examples, run as they stand. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { createFolder } from "./helpers/folder.ts";
import { createLab, labAvailable } from "./helpers/lab.ts";
import { type Host, localhost } from "./helpers/process.ts";
import { commandLine, onDeno, type Outcome, outcome, ROOT } from "./helpers/program.ts";
import { suite } from "./helpers/suite.ts";

suite("examples", (test, left) => {
  const title = "each runs from an empty folder to its end, and prints what it says";
  // they listen as a person's node does, on every interface: a network of their own is the place for that
  const why = labAvailable();
  if (why) return left(title, why);

  test(title, async () => {
    await using dir = await createFolder();
    const site = join(dir.path, "site");
    await mkdir(site);
    await writeFile(join(site, "page.txt"), "a page");
    if (onDeno) {
      for (const name of ["gateway", "exchange", "verified"]) {
        await localhost.run(process.execPath, ["cache", join(ROOT, "examples", `${name}.ts`)]);
      }
    }
    await using lab = await createLab({ hosts: ["a"] });
    const example = (name: string, ...words: string[]) => run(lab.hosts.a, dir.path, name, words);

    assert.is(ended(await example("node")), "Hello, reader!\n");
    assert.is(ended(await example("exchange")), "bob got: Hello, neighbour!\n");
    assert.match(
      ended(await example("gateway")),
      /^http:\/\/127\.0\.0\.1:\d+\n200 Hello, reader!\n$/,
    );
    const [cid, record] = ended(await example("seeder", site, "docs.example.org")).split("\n");
    assert.match(record!, /^_dnslink\.docs\.example\.org\. 60 IN TXT "dnslink=\/ipns\/k51\w+"$/);

    // what one of them published, another opens: the folder, its file, and its index once it has one
    assert.is(ended(await example("node", `/ipfs/${cid}`)), "page.txt\n");
    assert.is(ended(await example("node", `/ipfs/${cid}/page.txt`)), "a page\n");
    await writeFile(join(site, "index.html"), "<h1>hi</h1>");
    const [next] = ended(await example("seeder", site, "docs.example.org")).split("\n");
    assert.is(ended(await example("node", `/ipfs/${next}`)), "<h1>hi</h1>\n");

    // a gateway is asked by who does not believe it: the node that runs here
    const [program, ...args] = commandLine(["--json"], { dir: join(dir.path, "data") });
    await using node = lab.hosts.a.spawn(program, args);
    await node.events.until("ready");
    assert.is(ended(await example("verified", `ipfs://${cid}/page.txt`)), "a page\n");
  });
});

async function run(host: Host, cwd: string, name: string, words: string[]): Promise<Outcome> {
  const file = join(ROOT, "examples", `${name}.ts`);
  // -P reads the permissions of the folder it is started in; this one is empty
  const runtime = onDeno ? ["run", "-A", "--config", join(ROOT, "deno.json"), file] : [file];
  return await outcome(host.spawn(process.execPath, [...runtime, ...words], { cwd }));
}

function ended({ code, said, stdout }: Outcome): string {
  assert.is(code, 0, said);
  return stdout;
}
