/** What of a folder is published: each rule that `folder.ts` promises. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type Folder, scanFolder } from "../../src/content/folder.ts";
import { addFolder } from "../../src/content/write.ts";
import type { NethoodError } from "../../src/errors.ts";
import { startActor } from "../helpers/actor.ts";
import { failure } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { createMemoryBlocks } from "../helpers/memory-blocks.ts";
import { powerlessHost } from "../helpers/powerless-host.ts";
import { suite } from "../helpers/suite.ts";

const paths = ({ items }: Folder) => items.map(({ path }) => path);

async function refused(dir: string): Promise<NethoodError> {
  const error = await failure(scanFolder(dir));
  assert.is(error.code, "BAD_SITE", error.message);
  assert.ok(error.hint);
  return error;
}

suite("a site's folder", (test, left) => {
  test("hidden files are left out, .well-known is not, and --hidden takes all", async () => {
    await using site = await createFolder({
      "index.html": "Hello",
      ".env": "SECRET=1",
      ".git/config": "[core]",
      "sub/.htaccess": "deny",
      "sub/.well-known/note": "anywhere",
      ".well-known/security.txt": "Contact: mailto:security@example.org",
      ".well-known/.draft": "no",
    });
    assert.equal(paths(await scanFolder(site.path)), [
      ".well-known",
      ".well-known/security.txt",
      "index.html",
      "sub",
      "sub/.well-known",
      "sub/.well-known/note",
    ]);
    const all = paths(await scanFolder(site.path, { hidden: true }));
    for (const path of [".env", ".git/config", "sub/.htaccess", ".well-known/.draft"]) {
      assert.ok(all.includes(path), path);
    }
  });

  test("links are followed, and told when they lead nowhere or out of the folder", async () => {
    await using elsewhere = await createFolder({
      "shared.css": "body {}",
      "fonts/a.woff2": "font",
    });
    await using site = await createFolder({ "docs/index.html": "Hello", "a/page.html": "A" });
    const link = (target: string, path: string) => symlinkSync(target, join(site.path, path));
    link("docs/index.html", "index.html");
    link("docs", "latest");
    link(join(elsewhere.path, "shared.css"), "shared.css");
    link(join(elsewhere.path, "fonts"), "a/fonts");
    link("nowhere", "lost");
    link("index.html/below-a-file", "lost too");
    link("ring", "ring");
    const folder = await scanFolder(site.path);
    assert.equal(paths(folder), [
      "a",
      "a/fonts",
      "a/fonts/a.woff2",
      "a/page.html",
      "docs",
      "docs/index.html",
      "index.html",
      "latest",
      "latest/index.html",
      "shared.css",
    ]);
    assert.is(folder.bytes, 7 + 4 + 1 + 5 + 5 + 5);
    assert.equal(folder.outside, ["a/fonts", "shared.css"]);
    assert.equal(folder.skipped.map(({ path }) => path), ["lost", "lost too", "ring"]);
    for (const { why } of folder.skipped) assert.is(why, "it is a link that leads nowhere");
  });

  test("a link back into a folder that contains it is refused by name", async () => {
    await using site = await createFolder({ "index.html": "Hello", "docs/page.html": "Page" });
    symlinkSync("..", join(site.path, "docs/up"));
    assert.match((await refused(site.path)).message, /^The link docs\/up leads back/);
  });

  test("a folder reached through a link is published as if it were there", async () => {
    await using site = await createFolder({ "index.html": "Hello" });
    await using place = await createFolder();
    const link = join(place.path, "current");
    symlinkSync(site.path, link);
    assert.equal(paths(await scanFolder(link)), ["index.html"]);
    assert.equal((await scanFolder(link)).outside, []);
  });

  test("sockets and pipes are left out and told", async () => {
    await using site = await createFolder({ "index.html": "Hello" });
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(site.path, "app.sock"), done));
    try {
      execFileSync("mkfifo", [join(site.path, "pipe")]);
      const folder = await scanFolder(site.path);
      assert.equal(paths(folder), ["index.html"]);
      assert.equal(folder.skipped, [
        { path: "app.sock", why: "it is a socket, a pipe or a device" },
        { path: "pipe", why: "it is a socket, a pipe or a device" },
      ]);
    } finally {
      await new Promise((done) => server.close(done));
    }
  });

  test("a name that is not UTF-8 is refused, one that only looks so is not", async () => {
    await using site = await createFolder({ "really \ufffd": "a name as any other" });
    assert.equal(paths(await scanFolder(site.path)), ["really \ufffd"]);

    // Node and Deno write names of UTF-8 alone: the shell makes the others.
    const touch = (name: string) =>
      execFileSync("sh", ["-c", `: > "$(printf '${name}')"`], { cwd: site.path });
    touch("latin-\\351");
    assert.match((await refused(site.path)).message, /name of latin-\ufffd is not valid UTF-8/);
    execFileSync("sh", ["-c", "rm latin-*"], { cwd: site.path });
    touch("really \\377");
    assert.match((await refused(site.path)).message, /name of really \ufffd is not valid UTF-8/);
  });

  test("a site with nothing in it is refused", async () => {
    await using site = await createFolder({ ".hidden": "is nothing" });
    const error = await refused(site.path);
    assert.match(error.message, /nothing to publish/);
    assert.match(error.hint!, /--hidden/);
    mkdirSync(join(site.path, "empty"));
    const { cid, files } = await addFolder(createMemoryBlocks().store, site.path);
    assert.is(files, 0);
    assert.is(String(cid).slice(0, 4), "bafy");
  });

  test("what is not a folder is refused: a file, nothing, something below a file", async () => {
    await using site = await createFolder({ "index.html": "Hello" });
    const file = join(site.path, "index.html");
    assert.is((await refused(file)).message, `${file} is a file, not a folder.`);
    for (const missing of [join(site.path, "typo"), join(file, "below")]) {
      assert.is((await refused(missing)).message, `There is no folder ${missing}.`);
    }
  });

  const forbidden = "a file or folder that may not be read is refused, not left out";
  if (spawnSync("setpriv", ["--version"]).error) left(forbidden, "there is no setpriv");
  else {
    test(forbidden, async () => {
      await using dir = await createFolder();
      await using site = await createFolder({ "index.html": "Hello", "secret.html": "?" });
      const publish = async () => {
        await using seeder = startActor(["seed", dir.path, site.path], powerlessHost());
        return await seeder.events.until("failed");
      };
      const secret = join(site.path, "secret.html");
      chmodSync(secret, 0);
      const told = await publish();
      assert.equal([told.code, told.message], ["BAD_SITE", "You may not read secret.html."]);
      assert.match(String(told.hint), /permission/);

      rmSync(secret);
      mkdirSync(join(site.path, "drafts"));
      writeFileSync(join(site.path, "drafts/page.html"), "?");
      chmodSync(join(site.path, "drafts"), 0);
      assert.is((await publish()).message, "You may not read drafts.");
      chmodSync(join(site.path, "drafts"), 0o755);
    });
  }

  test("an abort ends the scan with its reason", async () => {
    await using site = await createFolder({ "index.html": "Hello" });
    const reason = new Error("enough");
    const error = await scanFolder(site.path, { signal: AbortSignal.abort(reason) }).catch((e) =>
      e
    );
    assert.is(error, reason);
  });
});
