/** A folder that is published again: what is as it was is not read, and what is not is never taken for it. */
import {
  linkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { linksOf } from "../../src/content/document.ts";
import { addFolder } from "../../src/content/write.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { refusal, thrown } from "../helpers/failure.ts";
import { fileOf } from "../helpers/block-files.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { knownOf, OLD_MS, seed, truth } from "../helpers/known-folder.ts";
import { createMemoryBlocks } from "../helpers/memory-blocks.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

suite("content/known", (test) => {
  test("after a restart only what changed is read, in whichever way it did", async () => {
    await using elsewhere = await createFolder({ "one": "target 1", "two": "target 2" });
    await using home = await createFolder();
    await using site = await createFolder({
      "film": randomBytes(3 * MIB + 5),
      "same": "as it was",
      "sub/same": "as it was, too",
      "empty": "",
      "edited": "before",
      "other size, same time": "before",
      "same size, same time": "before",
      "renamed over": "before",
      "renamed over, same time": "before",
      "removed": "before",
      "becomes a folder": "before",
      "touched": "the same content",
    });
    const at = (name: string) => join(site.path, name);
    symlinkSync(join(elsewhere.path, "one"), at("link"));
    await sleep(OLD_MS);
    const first = await seed(home.path, site.path);
    assert.equal(first.read, { files: first.files, bytes: first.bytes });
    const again = await seed(home.path, site.path);
    assert.equal([again.read, String(again.cid)], [{ files: 0, bytes: 0 }, String(first.cid)]);

    const keepTime = (name: string, change: (file: string) => void) => {
      const { atime, mtime } = statSync(at(name));
      change(at(name));
      utimesSync(at(name), atime, mtime);
    };
    writeFileSync(at("edited"), "after it");
    keepTime("other size, same time", (file) => writeFileSync(file, "as by cp -p or rsync"));
    keepTime("same size, same time", (file) => writeFileSync(file, "after!"));
    const over = (file: string) => {
      writeFileSync(`${file}~`, "after!");
      renameSync(`${file}~`, file);
    };
    over(at("renamed over"));
    keepTime("renamed over, same time", over);
    unlinkSync(at("removed"));
    unlinkSync(at("becomes a folder"));
    await addFiles(site.path, { "becomes a folder/inside": "a file" });
    writeFileSync(at("new"), "new");
    unlinkSync(at("link"));
    symlinkSync(join(elsewhere.path, "two"), at("link"));
    utimesSync(at("touched"), 1e9, 1e9);
    const changed = await seed(home.path, site.path);
    assert.is(String(changed.cid), await truth(site.path));
    assert.is(changed.read.files, 9, "nine files are not what they were");

    const names = [...knownOf(home.path).files.keys()];
    assert.equal(names.filter((name) => name === "removed" || name === "becomes a folder"), []);
    assert.is(names.length, changed.files);
  });

  test("a file that changed just before it was seen is read again, even if it looks the same", async () => {
    await using home = await createFolder();
    await using site = await createFolder({ "page": "before" });
    const file = join(site.path, "page");
    const whole = Math.floor(Date.now() / 1000); // times as coarse as those of some disks
    for (const words of ["before", "after!", "later!"]) {
      writeFileSync(file, words);
      utimesSync(file, whole, whole);
      const { cid } = await seed(home.path, site.path);
      assert.is(String(cid), await truth(site.path), words);
    }
    await sleep(OLD_MS);
    assert.is((await seed(home.path, site.path)).read.files, 1, "once more, since it was new");
    assert.is((await seed(home.path, site.path)).read.files, 0, "and then no more");
  });

  test("what is missing among its blocks, or cut short, is read and stored again", async () => {
    await using home = await createFolder();
    await using site = await createFolder({
      "film": randomBytes(3 * MIB),
      "page": "page",
      "other": "other",
    });
    await sleep(OLD_MS);
    const { cid, blocks } = await seed(home.path, site.path);
    const [film, page] = ["film", "page"].map((name) => knownOf(home.path).files.get(name)!.cid);
    const leaves = linksOf(film!, (await blocks.read(film!))!);
    const dir = join(home.path, "blocks");
    const file = (cid: CID) => fileOf(dir, cid);
    const damage: [string, () => void, number][] = [
      ["a small file", () => unlinkSync(file(page!)), 1],
      ["the root of a large one", () => unlinkSync(file(film!)), 1],
      ["a part of it", () => unlinkSync(file(leaves[1]!)), 1],
      ["a part of it cut short", () => truncateSync(file(leaves[2]!), 1000), 1],
      ["everything", () => rmSync(dir, { recursive: true }), 3],
    ];
    for (const [what, harm, files] of damage) {
      harm();
      const healed = await seed(home.path, site.path);
      assert.is(healed.read.files, files, what);
      assert.is(String(healed.cid), String(cid));
      for (const part of [cid, film!, page!, ...leaves]) {
        assert.ok(await new DiskBlocks(dir).read(part), `${what}: ${part}`);
      }
      assert.is((await seed(home.path, site.path)).read.files, 0);
    }
  });

  test("another size of blocks, another site, and --rehash read all", async () => {
    await using home = await createFolder();
    await using site = await createFolder({ "film": randomBytes(MIB + 1), "page": "page" });
    await sleep(OLD_MS);
    await seed(home.path, site.path);
    assert.is((await seed(home.path, site.path, { rehash: true })).read.files, 2);
    assert.is((await seed(home.path, site.path, { name: "other.example.org" })).read.files, 2);
    const chunk = 64 * 1024;
    const small = await seed(home.path, site.path, { chunk });
    assert.is(small.read.files, 2);
    assert.is(String(small.cid), await truth(site.path, { chunk }));
    assert.is((await seed(home.path, site.path, { chunk })).read.files, 0);
  });

  test("a second folder of the same site is not taken for the first, though its files look alike", async () => {
    await using home = await createFolder();
    await using one = await createFolder({ "page": "page 1", "both": "both" });
    await using two = await createFolder({ "page": "page 2" });
    linkSync(join(one.path, "both"), join(two.path, "both"));
    utimesSync(join(one.path, "page"), 1e9, 1e9);
    utimesSync(join(two.path, "page"), 1e9, 1e9);
    await sleep(OLD_MS);
    await seed(home.path, one.path);
    const { cid, read } = await seed(home.path, two.path);
    assert.is(String(cid), await truth(two.path));
    assert.is(read.files, 1, "the other is one file with two names");
  });

  test("what a seed had read before it was stopped is not read again", async () => {
    await using home = await createFolder();
    const films = Array.from({ length: 40 }, (_, i) => [`${i}`, randomBytes(100_000)] as const);
    await using site = await createFolder(Object.fromEntries(films));
    await sleep(OLD_MS);
    const stop = new AbortController();
    const reason = new Error("enough");
    const stopped = seed(home.path, site.path, {
      signal: stop.signal,
      onProgress: ({ files }) => files >= 20 && stop.abort(reason),
    });
    assert.is(await thrown(stopped), reason);
    const { cid, read } = await seed(home.path, site.path);
    assert.ok(read.files > 0 && read.files <= 25, `${read.files} were read`);
    assert.is(String(cid), await truth(site.path));
  });

  test("what comes, goes or changes while others are read is noticed where rest is asked for", async () => {
    const changes: Record<string, (site: string) => void> = {
      "comes": (site) => writeFileSync(join(site, "0-new"), "new"),
      "goes": (site) => unlinkSync(join(site, "0")),
      "changes": (site) => writeFileSync(join(site, "0"), "changed"),
    };
    for (const [what, change] of Object.entries(changes)) {
      await using site = await createFolder({ "0": "first", "film": randomBytes(4 * MIB) });
      let done = false;
      const late = () => ({
        onProgress({ files, bytes }: { files: number; bytes: number }) {
          if (done || files < 1 || bytes < 2 * MIB) return;
          done = true;
          change(site.path);
        },
      });
      await refusal(
        "SITE_CHANGED",
        () => addFolder(createMemoryBlocks().store, site.path, { steady: true, ...late() }),
      );
      assert.ok(done, what);
      await addFolder(createMemoryBlocks().store, site.path, { steady: true });
    }
  });
});
