/** Ctrl-C at any moment, and the end that nobody announces. */
import { existsSync } from "node:fs";
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { HELLO, NOWHERE, outcome, run, start, startNode } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

/** Bytes of a file that takes longer to hash than any test waits; it has no content, and fills no disk. */
const ENDLESS = 64 * 1024 ** 3;
/** When a start is interrupted, in milliseconds after it: before the program runs, while it loads, while it opens. */
const MOMENTS = [30, 150, 400, 700, 1_000];

const UNDONE = /^Stopped before it was done\. Nothing is lost: run the same command again\.$/m;

suite("interrupt", (test) => {
  test("Ctrl-C while it starts: never a stack trace, and the folder is free", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    for (const ms of MOMENTS) {
      const child = start(["--port", "0"], own);
      await new Promise((resolve) => setTimeout(resolve, ms));
      child.kill("SIGINT");
      const { code, signal, said } = await outcome(child);
      assert.not.match(said, /^\s+at |^nethood: /m);
      // before the first line of it runs, the signal itself ends it
      assert.ok(code === 0 || code === 130 || signal === "SIGINT", `${code} ${signal} ${said}`);
      if (code === 130) assert.match(said, UNDONE);
    }
    assert.is((await run(["get", HELLO], own)).code, 0);
  });

  test("Ctrl-C while it hashes, and SIGKILL there: run it again", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    const site = await endlessSite(join(dir.path, "site"));
    const seed = ["seed", site, "--name", "docs.example.org"];

    const hashing = () => start([...seed, "--port", "0", "--json"], own);
    const one = hashing();
    await one.events.until("seed:progress");
    one.kill("SIGINT");
    const { code, stdout } = await outcome(one);
    assert.is(code, 130);
    const { event, text } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    assert.is(event, "note");
    assert.match(text, UNDONE);

    const two = hashing();
    await two.events.until("seed:progress");
    two.kill("SIGKILL");
    await two.exit;

    await truncate(join(site, "big.bin"), 100_000);
    await using three = await startNode(seed, own);
    const { key, ...done } = await three.events.until("seed:done") as Record<string, unknown>;
    assert.is(done.files, 2);
    const page = await fetch(`${three.gateway}/ipns/${done.name}/a.txt`);
    assert.is(await page.text(), "a");
    assert.is(key, undefined);
  });

  test("Ctrl-C while it fetches", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    const child = start(["get", NOWHERE], own);
    await until("a start", () => existsSync(join(own.dir, "blocks", "unfinished")));
    await new Promise((resolve) => setTimeout(resolve, 600));
    child.kill("SIGINT");
    const { code, said, stdout } = await outcome(child);
    assert.equal([code, stdout], [130, ""]);
    assert.match(said, UNDONE);
  });

  test("Ctrl-C while it runs is no failure; the second one waits for nobody", async () => {
    await using dir = await createFolder();
    const own = { dir: join(dir.path, "node") };
    for (const [times, expected] of [[1, 0], [2, 130]]) {
      const node = await startNode(["--debug"], own);
      // a reader who is still being served: a stop gives them a second
      const reader = fetch(node.gateway + NOWHERE).then((response) => response.text(), String);
      await new Promise((resolve) => setTimeout(resolve, 300));
      node.kill("SIGINT");
      await node.events.until("note", { where: { text: "Stopping." } });
      if (times === 2) node.kill("SIGINT");
      const { code, said } = await outcome(node);
      assert.is(code, expected, said);
      assert.is(said.trim(), "");
      await reader;
    }
  });
});

async function endlessSite(dir: string): Promise<string> {
  await mkdir(dir);
  await writeFile(join(dir, "a.txt"), "a");
  await writeFile(join(dir, "big.bin"), "");
  await truncate(join(dir, "big.bin"), ENDLESS);
  return dir;
}
