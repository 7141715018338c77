/** `seed --watch` as a person runs it: its lines, its end, and systems on which it sees or may read less. */
import { chmodSync, writeFileSync } from "node:fs";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { powerlessHost } from "../helpers/powerless-host.ts";
import { type Child, createHost, type Host } from "../helpers/process.ts";
import {
  commandLine,
  complains,
  outcome,
  type ProgramOptions,
  run,
  start,
} from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

/** Bytes of a file that takes longer to hash than any test waits; it has no content, and fills no disk. */
const ENDLESS = 64 * 1024 ** 3;

const NAME = ["--name", "docs.example.org"];

interface Home extends AsyncDisposable {
  site: string;
  own: ProgramOptions & { dir: string };
  write(path: string, text: string): void;
}

async function createHome(): Promise<Home> {
  const folder = await createFolder({ "site/index.html": "one", "site/docs/a.html": "a" });
  const site = join(folder.path, "site");
  return {
    site,
    own: { dir: join(folder.path, "node") },
    write: (path, text) => writeFileSync(join(site, path), text),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const words = (site: string) => ["seed", site, ...NAME, "--watch", "--quiet", "0.4"];

/** The program with these words, on a host of another kind, saying events. */
function startOn(host: Host, { site, own }: Home): Child {
  const [program, ...args] = commandLine([...words(site), "--port", "0", "--json"], own);
  return host.spawn(program, args, own);
}

/** A system whose limit of watches is reached, or undefined where none can be made. */
function deafHost(): Host | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return undefined;
  const limit = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"';
  return createHost("deaf", "127.0.0.1", ["unshare", "-Ur", "sh", "-c", limit, "sh"]);
}

suite("seed --watch", (test, left) => {
  test("tells each version in a line, and Ctrl-C ends it with 0; then it goes on where it was", async () => {
    await using home = await createHome();
    const child = start([...words(home.site), "--port", "0", "--json"], home.own);
    const first = await child.events.until("seed:done");
    await child.events.until("ready");
    home.write("index.html", "two");
    home.write("docs/b.html", "b");
    const second = await child.events.until("seed:version");
    assert.is(second.number, 2);
    assert.equal(
      [second.changed, second.added, second.removed],
      [{ count: 1, files: ["index.html"] }, { count: 1, files: ["docs/b.html"] }, {
        count: 0,
        files: [],
      }],
    );
    assert.is.not(second.cid, first.cid);
    child.kill("SIGINT");
    const ended = await outcome(child);
    assert.is(ended.code, 0, ended.said);

    const again = start([...words(home.site), "--port", "0"], home.own);
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of again.stdout) {
        lines.push(line);
        if (/^Nethood is running/.test(line)) home.write("docs/a.html", "again");
        if (/^Version/.test(line)) return line;
      }
    })();
    assert.match(
      String(await reading),
      /^Version \d+: bafy\w+ \(1 changed: docs\/a\.html; 0 follow\)$/,
    );
    assert.ok(
      lines.some((line) => line.includes(String(second.cid))),
      "the same content, no other",
    );
    again.kill("SIGINT");
    assert.is((await outcome(again)).code, 0);
  });

  test("Ctrl-C while a later version is hashed ends it at once, and the one before stays", async () => {
    await using home = await createHome();
    const child = start([...words(home.site), "--port", "0", "--json"], home.own);
    const { cid, name } = await child.events.until("seed:done");
    await child.events.until("ready");
    home.write("docs/endless", "");
    await truncate(join(home.site, "docs/endless"), ENDLESS);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    child.kill("SIGINT");
    const { code, said } = await outcome(child);
    assert.is(code, 0, said);
    assert.not.match(said, /^\s+at |^nethood: /m);
    assert.is((await run(["get", `/ipns/${name}`], home.own)).stdout.trim(), "one", String(cid));
  });

  test("--quiet without --watch, and what is no time, are told", async () => {
    await using home = await createHome();
    const seed = ["seed", home.site, ...NAME];
    complains(await run([...seed, "--quiet", "3"], home.own), 2, /--quiet belongs to --watch\./);
    complains(await run([...seed, "--watch", "--quiet", "soon"], home.own), 2, /"soon" is not/);
    complains(await run(["--watch"], home.own), 2, /--watch does not belong to "node"/);
  });

  test("a mistake in _headers is told with its line, once for as long as it is there", async () => {
    await using home = await createHome();
    home.write("_headers", "/*\n  Set-Cookie: a=b\n");
    await using child = start([...words(home.site), "--port", "0", "--json"], home.own);
    assert.match(String((await child.events.until("note")).text), /_headers .* line 2 has/);
    await child.events.until("ready");
    home.write("index.html", "two");
    await child.events.until("seed:version", { where: { number: 2 } });
    home.write("_headers", "/*\n  X-Robots-Tag: none\n  Refresh: 1\n");
    await child.events.until("seed:version", { where: { number: 3 } });
    await child.stop();
    const lines = (await outcome(child)).stdout.match(/line \d has the header [\w-]+/g);
    assert.equal(lines, ["line 2 has the header Set-Cookie", "line 3 has the header Refresh"]);
  });

  test("a file that may not be read is told, and waited for", async () => {
    await using home = await createHome();
    await using child = startOn(powerlessHost(), home);
    await child.events.until("ready");
    home.write("secret.html", "?");
    chmodSync(join(home.site, "secret.html"), 0);
    const note = await child.events.until("note");
    assert.match(
      String(note.text),
      /You may not read secret\.html\. .* stays until this is over\./,
    );
    chmodSync(join(home.site, "secret.html"), 0o644);
    const { number, added } = await child.events.until("seed:version");
    assert.equal([number, added], [2, { count: 1, files: ["secret.html"] }]);
  });

  const deaf = deafHost();
  const title =
    "where the system's limit of watches is reached, that is told, and changes are found";
  if (deaf === undefined) left(title, "it needs root on Linux");
  else {
    test(title, async () => {
      await using home = await createHome();
      await using child = startOn(deaf, home);
      const note = await child.events.until("note");
      assert.match(String(note.text), /noticed later .* sysctl fs\.inotify\.max_user_watches/);
      await child.events.until("ready");
      home.write("docs/a.html", "again");
      const { changed } = await child.events.until("seed:version");
      assert.equal(changed, { count: 1, files: ["docs/a.html"] });
      await child.stop();
      const all = await outcome(child);
      assert.is(all.stdout.match(/noticed later/g)?.length, 1, "told once");
    });
  }
});
