/** A watched folder in trouble: emptied, gone, on a full disk; and the end of the watch. */
import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { folderState, scanFolder } from "../../src/content/folder.ts";
import { watchSite } from "../../src/site/watch.ts";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { refusal, thrown } from "../helpers/failure.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";
import { createWatchedSite } from "../helpers/watched-site.ts";

const MIB = 1024 * 1024;

/** What is noticed within this time was heard of, not found by looking, which happens every ten seconds. */
const HEARD_MS = 6_000;

suite("site/watch in trouble", (test, left) => {
  test("a build that empties the folder first, and takes its time, is published when it is done", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`page-${i}.html`, `page ${i}`]),
    );
    await using site = await createFolder({ ...files, "sub/page.html": "page" });
    await using watched = await createWatchedSite(site.path);
    for (const empty of ["the folder is empty", "only folders are in it"]) {
      const before = watched.versions.length;
      for (const name of readdirSync(site.path)) {
        rmSync(join(site.path, name), { recursive: true });
      }
      if (empty.startsWith("only")) mkdirSync(join(site.path, "sub"));
      await until(
        "the sentence",
        () => /nothing to publish|no file/.test(watched.troubles.at(-1) ?? ""),
      );
      await sleep(1_200);
      assert.is(watched.versions.length, before, empty);
      for (const [name, page] of Object.entries(files)) {
        writeFileSync(join(site.path, name), `${page}, ${empty}`);
        await sleep(20);
      }
      await watched.version(before + 1);
      assert.equal(await watched.files(), Object.keys(files).sort());
      assert.equal(watched.troubles.length, before, "told once");
    }
  });

  test("a folder that disappears and comes back is watched again, also when another takes its place", async () => {
    await using home = await createFolder({ "site/index.html": "one", "next/index.html": "four" });
    const site = join(home.path, "site");
    const page = join(site, "index.html");
    await using watched = await createWatchedSite(site);
    rmSync(site, { recursive: true });
    await until("the sentence", () => /There is no folder .*stays/.test(watched.troubles[0] ?? ""));
    await addFiles(site, { "index.html": "two" });
    assert.is(await watched.page(await watched.version(2), "index.html"), "two");
    let began = Date.now();
    writeFileSync(page, "three");
    assert.is(await watched.page(await watched.version(3), "index.html"), "three");
    assert.ok(watched.at - began < HEARD_MS, "it is not watched any more");

    renameSync(site, join(home.path, "before"));
    renameSync(join(home.path, "next"), site);
    assert.is(await watched.page(await watched.version(4), "index.html"), "four");
    await sleep(600);
    began = Date.now();
    writeFileSync(page, "five");
    assert.is(await watched.page(await watched.version(5), "index.html"), "five");
    assert.ok(watched.at - began < HEARD_MS, "the one in its place is not watched");
    writeFileSync(join(home.path, "before/index.html"), "nobody's");
    await sleep(1_200);
    assert.is(watched.versions.length, 5);
  });

  const full = "on a full disk the version before stays, and what is new is out when there is room";
  const missing = mountAvailable();
  if (missing) left(full, missing);
  else {
    test(full, async () => {
      await using disk = await createDisk("12m");
      await using site = await createFolder({ "index.html": "one" });
      await using watched = await createWatchedSite(site.path, { dir: join(disk.path, "node") });
      const one = await watched.version(1);
      await addFiles(site.path, { "film": randomBytes(20 * MIB), "index.html": "two" });
      await until("the sentence", () => /is full\. .*stays/.test(watched.troubles[0] ?? ""));
      await sleep(1_500);
      assert.is(watched.troubles.length, 1, "told once, however often it is tried");
      assert.is(await watched.recorded(), `/ipfs/${one}`);
      assert.is(await watched.page(one, "index.html"), "one");
      disk.remount("size=80m");
      const two = await watched.version(2);
      assert.is(await watched.page(two, "index.html"), "two");
      assert.is(await watched.recorded(), `/ipfs/${two}`);
    });
  }

  test("the first version fails as without --watch; later ones go on after a restart", async () => {
    await using home = await createFolder();
    await using site = await createFolder();
    const dir = join(home.path, "node");
    const publish = () => Promise.reject(new Error("it must not come to this"));
    const onVersion = () => assert.unreachable(),
      onTrouble = (text: string) => assert.unreachable(text);
    const { signal } = new AbortController();
    const rest = { publish, onVersion, onTrouble, signal };
    await refusal("BAD_SITE", () => watchSite(site.path, rest));
    await refusal("BAD_SITE", () => watchSite(join(site.path, "nowhere"), rest));
    await addFiles(site.path, { "index.html": "one" });
    let record: string;
    {
      await using watched = await createWatchedSite(site.path, { dir });
      record = await watched.recorded();
    }
    await addFiles(site.path, { "index.html": "changed while nobody watched" });
    await using watched = await createWatchedSite(site.path, { dir });
    assert.is.not(await watched.recorded(), record);
    const page = await watched.page(await watched.version(1), "index.html");
    assert.is(page, "changed while nobody watched");
    await addFiles(site.path, { "index.html": "two" });
    assert.is(await watched.page(await watched.version(2), "index.html"), "two");
  });

  test("it is stopped in any state, at once, and nothing comes after", async () => {
    await using site = await createFolder({ "index.html": "one" });
    const edit = (text: string) => writeFileSync(join(site.path, "index.html"), text);
    const reason = new Error("Ctrl-C");
    type Moment = (publishing: () => Promise<void>, stop: () => Promise<void>) => Promise<void>;
    const moments: [string, Moment][] = [
      ["at rest", (_, stop) => stop()],
      ["a change was heard", async (_, stop) => {
        edit(`${Math.random()}`);
        await sleep(200);
        await stop();
      }],
      ["in trouble", async (_, stop) => {
        unlinkSync(join(site.path, "index.html"));
        await sleep(800);
        await stop();
        edit("again");
      }],
      ["publishing", async (publishing, stop) => {
        edit(`${Math.random()}`);
        await publishing();
        await stop();
      }],
    ];
    for (const [what, moment] of moments) {
      let published = 0;
      const begun = Promise.withResolvers<void>();
      const watch = await watchSite(site.path, {
        quiet: 400,
        signal: new AbortController().signal,
        async publish({ signal }) {
          if (published++ === 0) {
            return { state: folderState(await scanFolder(site.path)), racy: false };
          }
          begun.resolve();
          await sleep(60_000, undefined, { signal });
          return { state: "never", racy: false };
        },
        onVersion: () => assert.is(published, 1, what),
        onTrouble: () => undefined,
      });
      const stopped = moment(() => begun.promise, () => watch.stop());
      await Promise.race([
        stopped,
        sleep(5_000).then(() => assert.unreachable(`${what}: it goes on`)),
      ]);
      const count = published;
      edit(`${Math.random()}`);
      await sleep(700);
      assert.is(published, count, `${what}: something came after`);
    }
    const stop = new AbortController();
    const begun = Promise.withResolvers<void>();
    const first = watchSite(site.path, {
      quiet: 100,
      signal: stop.signal,
      async publish({ signal }) {
        begun.resolve();
        await sleep(60_000, undefined, { signal });
        return { state: "", racy: false };
      },
      onVersion: () => undefined,
      onTrouble: () => undefined,
    });
    await begun.promise;
    stop.abort(reason);
    assert.is(await thrown(first), reason);
  });
});
