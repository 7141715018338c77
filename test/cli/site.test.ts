/** `site`: what a publisher and a reader are told of versions, beside a running node and without one. */
import { join } from "node:path";
import * as assert from "uvu/assert";
import { localOnly } from "../../src/content/blocks.ts";
import { gather } from "../../src/content/gather.ts";
import { parseAddress, parseKey } from "../../src/content/address.ts";
import { CID } from "multiformats/cid";
import { labelOf } from "../../src/name/keyring.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createSites } from "../../src/site/sites.ts";
import { signVersion } from "../../src/site/version.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { complains, onTerminal, type Outcome, run, start, startNode } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

const NAME = "docs.example.org";

/** When a seeder is killed, in milliseconds after it has read everything: while it pins, writes the version, and signs. */
const MOMENTS = [0, 3, 6, 10, 15, 25, 40];

/** How far ahead of ours a publisher's clock may be, in milliseconds. */
const MINUTES_MS = 30 * 60_000, DAY_MS = 24 * 3_600_000;

const events = ({ stdout }: Outcome) =>
  stdout.trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);

suite("site", (test) => {
  test("log, diff and rollback, while the node runs on the same folder and after it; a reader reads by name", async () => {
    await using files = await createFolder({ "site/a.txt": "1", "site/b.txt": "1" });
    const own = { dir: join(files.path, "node") };
    const seed = ["seed", join(files.path, "site"), "--name", NAME];
    {
      await using node = await startNode([...seed, "--note", "first \x1b[2Jlight"], own);
      const { version, changes } = await node.events.until("seed:done");
      assert.equal([version, changes], [1, undefined]);
    }
    await addFiles(join(files.path, "site"), { "a.txt": "2", "c/d.txt": "1" });
    await using node = await startNode([...seed, "--ttl", "1s"], own);
    const done = await node.events.until("seed:done");
    assert.equal([done.version, done.changes], [2, { added: 1, changed: 1, removed: 0 }]);

    const log = await run(["site", "log", NAME], own);
    assert.is(log.code, 0, log.said);
    const line = (words: string) =>
      `\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC  +\\d+ B  baf\\w+${words}\\n`;
    assert.match(
      log.stdout,
      new RegExp(`^    2  ${line("")}    1  ${line("  first \\uFFFD\\[2Jlight")}$`),
    );
    const diff = await run(["site", "diff", NAME, "1", "2"], own);
    assert.is(
      diff.stdout.replace(/ \(\d+ B\)/g, ""),
      "  ~ a.txt \n  + c/d.txt \n  1 file added, 1 changed\n",
    );
    const back = await run(["site", "rollback", NAME, "1", "--note", "oops", "--json"], own);
    const [rolledBack] = events(back);
    assert.equal([rolledBack!.event, rolledBack!.version], ["site:rollback", 3]);
    assert.is(await (await fetch(`${node.gateway}/ipns/${done.name}/a.txt`)).text(), "1");

    const away = join(files.path, "reader");
    const place = ["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0", "--peer", node.address];
    const reader = { dir: away, place: [...place, "--name-map", `${NAME}:/ipns/${done.name}`] };
    const told = events(await run(["site", "log", NAME, "--json"], reader));
    assert.equal(told.map(({ event, number, note }) => [event, number, note]), [
      ["site:version", 3, "oops"],
      ["site:version", 2, ""],
      ["site:version", 1, "first \x1b[2Jlight"],
      ["site:log", undefined, undefined],
    ]);
    assert.is(told[1]!.cid, done.cid);
    complains(
      await run(["site", "rollback", NAME, "1"], reader),
      1,
      /no key of docs\.example\.org/,
    );
    complains(await run(["site", "diff", NAME, "1", "9"], own), 1, /no version 9 of/);

    await node.stop();
    const after = await run(["site", "log", NAME, "--json"], own);
    const versions = events(after).filter(({ event }) => event === "site:version");
    assert.equal(versions.map(({ number }) => number), [3, 2, 1]);
    const again = await run(["site", "rollback", NAME, "2"], own);
    assert.match(again.stdout, /^docs\.example\.org is again as version 2 was: version 4 /);
    const same = await run(["site", "rollback", NAME, "2"], own);
    assert.match(same.stdout, "no version was made");
  });

  test("said wrongly, it says how", async () => {
    const wrong = [[], ["log"], ["log", NAME, "2"], ["diff", NAME, "1"], ["undo", NAME], [
      "toString",
      NAME,
    ]];
    for (const words of wrong) {
      complains(await run(["site", ...words]), 2, /site log docs\.example/);
    }
    complains(await run(["site", "rollback", NAME, "0"]), 2, /"0" is not the number of a version/);
    complains(await run(["seed", "x", "--name", NAME, "--ttl", "1"]), 2, /"1" is not a time/);
    complains(await run(["seed", "x", "--name", NAME, "--lifetime", "1h"]), 2, /no lifetime/);
    complains(await run(["get", "x", "--note", "x"]), 2, /--note does not belong/);
  });

  test("a seeder killed while it publishes leaves the version before, or the new one, whole", async () => {
    await using files = await createFolder();
    const site = join(files.path, "site");
    const dir = join(files.path, "node");
    const pages = (words: string) =>
      Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`${i % 7}/${i}.txt`, words + i]));
    await addFiles(site, pages("first"));
    const seed = ["seed", site, "--name", NAME];
    let last: { number: number; root: string; key: string };
    {
      await using node = await startNode(seed, { dir });
      const { version, cid, name } = await node.events.until("seed:done");
      last = { number: Number(version), root: String(cid), key: String(name) };
    }
    const outcomes = new Set<string>();
    for (const ms of MOMENTS) {
      await addFiles(site, pages(`after ${ms} `));
      const child = start([...seed, "--port", "0", "--json"], { dir });
      await child.events.until("seed:progress", { where: { files: 60 } });
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGKILL");
      await child.exit;

      await using node = await createLoopbackNode({ dir });
      const { value, number } = await node.names.record(parseKey(last.key)!, { local: true });
      const root = CID.parse(parseAddress(value).root);
      const isNew = number === last.number + 1;
      assert.ok(isNew || number === last.number && String(root) === last.root, `${ms} ms`);
      assert.is(isNew, String(root) !== last.root);
      const blocks = localOnly(node.blocks);
      for await (const _ of gather(node.blocks, root, { local: true })); // it throws where a block is missing
      const sites = createSites(Object.create(node, { blocks: { value: blocks } }));
      const numbers: number[] = [];
      for await (const { number, version, fork } of sites.log(NAME)) {
        assert.ok(version && !fork);
        numbers.push(number);
      }
      assert.equal(numbers, Array.from({ length: number! }, (_, i) => number! - i));
      outcomes.add(isNew ? "new" : "old");
      last = { ...last, number: number!, root: String(root) };
    }
    assert.ok(outcomes.size > 0);
    // and the next publication is one more, as if nothing had been
    await using node = await startNode(seed, { dir });
    const { version } = await node.events.until("seed:done");
    assert.ok(version === last.number + 1 || version === last.number, `${version}`);
  });

  test("a version from a clock that was a day ahead is marked, and one of half an hour is not", async () => {
    await using files = await createFolder({ "site/a.txt": "1" });
    const own = { dir: join(files.path, "node") };
    {
      await using node = await createLoopbackNode(own);
      await createSeeder(node).publish(join(files.path, "site"), { name: NAME });
      for (const ahead of [DAY_MS, MINUTES_MS]) {
        await node.names.update(labelOf(NAME), async ({ key, newest, record }) => {
          const { value } = record!;
          const number = newest!.number + 1;
          const root = CID.parse(parseAddress(value).root);
          const time = Date.now() + ahead;
          const what = { number, previous: newest!.cid, root, time, note: "" };
          const { cid, block } = await signVersion(key, what);
          await node.helia.blockstore.put(cid, block);
          return { value, version: { cid, number } };
        });
      }
    }
    const log = await run(["site", "log", NAME], own);
    const lines = log.stdout.trimEnd().split("\n");
    const marked = lines.map((line) => /\[its time is ahead of this machine's clock\]$/.test(line));
    assert.equal(marked, [false, true, false], log.stdout);
  });

  test("on a terminal: a table that no note can break", async () => {
    await using files = await createFolder({ "site/a.txt": "1" });
    const own = { dir: join(files.path, "node") };
    const seed = ["seed", join(files.path, "site"), "--name", NAME];
    await using _ = await startNode([...seed, "--note", "one\ntwo\r\x1b]0;mine\x07"], own);
    const { said } = await onTerminal(["site", "log", NAME], own);
    // deno-lint-ignore no-control-regex -- what is not to be there
    assert.not.match(said.trim(), /[\x00-\x09\x0b-\x1f]|\n/);
    assert.match(said, "one\uFFFDtwo");
  });
});
