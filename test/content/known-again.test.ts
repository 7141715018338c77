/** A folder that is published again: which of its directories are stored, and which files are looked into before. */
import { renameSync, rmSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { linksOf } from "../../src/content/document.ts";
import type { AddOptions } from "../../src/content/write.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { fileOf } from "../helpers/block-files.ts";
import { createFolder } from "../helpers/folder.ts";
import { knownOf, OLD_MS, seed, truth } from "../helpers/known-folder.ts";
import { suite } from "../helpers/suite.ts";

suite("content/known again", (test) => {
  test("a directory is stored again where what is in it changed, or its block is missing or cut short", async () => {
    await using home = await createFolder();
    const many = Array.from({ length: 2_000 }, (_, i) => `${i} ${"x".repeat(120)}`);
    await using site = await createFolder({
      "a/b/page": "page",
      "a/c/page": "page",
      ...Object.fromEntries(many.map((name) => [`many/${name}`, ""])),
    });
    await sleep(OLD_MS);
    const first = await seed(home.path, site.path);
    const dir = join(home.path, "blocks");
    const inside = async (cid: CID) => linksOf(cid, (await first.blocks.read(cid))!);
    const [a, large] = await inside(first.cid);
    const [b] = await inside(a!);
    const shards: CID[] = [];
    for (const left = [large!]; left.length > 0;) {
      const below = (await inside(left.pop()!)).filter(({ code }) => code === large!.code);
      shards.push(...below);
      left.push(...below);
    }
    assert.ok(shards.length > 250, "it is a directory of many blocks");
    const again = async () => {
      const { cid, puts } = await seed(home.path, site.path);
      assert.is(String(cid), await truth(site.path));
      return puts;
    };
    assert.is(await again(), shards.length + 1, "of all directories only the one of many blocks");
    for (const harmed of [first.cid, a!, b!, large!, shards[7]!]) {
      for (const harm of [unlinkSync, (file: string) => truncateSync(file, 10)]) {
        harm(fileOf(dir, harmed));
        await again();
        const healed = new DiskBlocks(dir);
        for (const cid of [first.cid, a!, b!, large!, ...shards]) {
          assert.ok(await healed.read(cid), String(cid));
        }
      }
    }
    const whole = await readFile(fileOf(dir, b!));
    writeFileSync(fileOf(dir, b!), whole.map((byte) => byte ^ 1));
    await seed(home.path, site.path, { rehash: true });
    assert.ok(await new DiskBlocks(dir).read(b!), "what only hashing shows is for --rehash");
    writeFileSync(join(site.path, "a/c/page"), "PAGE");
    assert.is(await again(), 1 + 3 + shards.length + 1, "the file, and the folders above it");
    renameSync(join(site.path, "a/b/page"), join(site.path, "a/b/name"));
    assert.is(await again(), 1 + 1 + 3 + shards.length + 1, "both files are too new to be known");
    rmSync(join(site.path, "a"), { recursive: true });
    await again();
    assert.equal([...knownOf(home.path).directories.keys()], ["", "many"]);
  });

  test("who checks a folder sees what is new, and again what it asked for", async () => {
    await using home = await createFolder();
    await using site = await createFolder({ "dir/key": "key", "other": "other", "page": "page" });
    await sleep(OLD_MS);
    const files = async (options: AddOptions = {}) => {
      const seen: string[] = [];
      await seed(home.path, site.path, {
        ...options,
        check: (items) => {
          seen.push(...items.filter(({ kind }) => kind === "file").map(({ path }) => path));
          return Promise.resolve(["dir/key"]);
        },
      });
      return seen;
    };
    const all = ["dir/key", "other", "page"];
    assert.equal(await files(), all);
    assert.equal(await files(), ["dir/key"]);
    assert.equal(await files({ rehash: true }), all);
    assert.equal(await files(), ["dir/key"]);
    writeFileSync(join(site.path, "page"), "Page");
    assert.equal(await files(), ["dir/key", "page"]);
    assert.equal(await files(), ["dir/key", "page"], "it is too new to be known");
  });
});
