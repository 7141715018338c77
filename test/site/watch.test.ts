/** A folder that is watched: real edits, as editors, builds and people make them, and what becomes of each. */
import { randomBytes } from "node:crypto";
import {
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";
import { createWatchedSite } from "../helpers/watched-site.ts";

const MIB = 1024 * 1024;

/** What is noticed within this time was heard of, not found by looking, which happens every ten seconds. */
const HEARD_MS = 6_000;

suite("site/watch", (test) => {
  test("every kind of edit becomes one version, and what changes nothing becomes none", async () => {
    await using site = await createFolder({
      "index.html": "one",
      "docs/a.html": "a",
      "docs/b.html": "b",
    });
    await using watched = await createWatchedSite(site.path);
    const at = (path: string) => join(site.path, path);
    assert.is(await watched.page(await watched.version(1), "index.html"), "one");
    const edits: [string, () => void, path: string, page: string | undefined][] = [
      ["in place", () => writeFileSync(at("index.html"), "two"), "index.html", "two"],
      [
        "by renaming, as editors do",
        () => {
          writeFileSync(at(".index.html.swp"), "three");
          renameSync(at(".index.html.swp"), at("index.html"));
        },
        "index.html",
        "three",
      ],
      [
        "a backup beside it first",
        () => {
          renameSync(at("docs/a.html"), at("docs/.a.html~"));
          writeFileSync(at("docs/a.html"), "a, again");
        },
        "docs/a.html",
        "a, again",
      ],
      [
        "the same size and time",
        () => {
          writeFileSync(at("index.html"), "3hree");
          utimesSync(at("index.html"), 1e9, 1e9);
        },
        "index.html",
        "3hree",
      ],
      [
        "the same once more, at once",
        () => {
          writeFileSync(at("index.html"), "4hree");
          utimesSync(at("index.html"), 1e9, 1e9);
        },
        "index.html",
        "4hree",
      ],
      [
        "a new folder",
        () => {
          mkdirSync(at("new/deep"), { recursive: true });
          writeFileSync(at("new/deep/c.html"), "c");
        },
        "new/deep/c.html",
        "c",
      ],
      [
        "in the new folder",
        () => writeFileSync(at("new/deep/c.html"), "cc"),
        "new/deep/c.html",
        "cc",
      ],
      ["a file is removed", () => unlinkSync(at("docs/b.html")), "docs/b.html", undefined],
      ["a folder moves", () => renameSync(at("docs"), at("pages")), "pages/a.html", "a, again"],
    ];
    for (const [number, [what, edit, path, page]] of edits.entries()) {
      const began = Date.now();
      edit();
      const version = await watched.version(number + 2);
      assert.is(await watched.page(version, path), page, what);
      assert.is(await watched.recorded(), `/ipfs/${version}`);
      assert.ok(watched.at - began < HEARD_MS, `${what}: ${watched.at - began} ms`);
      assert.ok(watched.at - began >= 400, `${what}: it was not waited for quiet`);
    }
    utimesSync(at("index.html"), 2e9, 2e9);
    writeFileSync(at(".hidden"), "not published");
    await sleep(1_500);
    assert.is(watched.versions.length, 1 + edits.length);
    assert.equal(watched.troubles, []);
  });

  test("a file that is emptied and written again for three seconds is never out half-written", async () => {
    await using site = await createFolder({ "page": "the old page", "other": "1" });
    await using watched = await createWatchedSite(site.path);
    const file = openSync(join(site.path, "page"), "w");
    const words = Array.from({ length: 12 }, (_, i) => `line ${i}\n`);
    for (const line of words) {
      await sleep(250);
      writeSync(file, line);
    }
    const ended = Date.now();
    const version = await watched.version(2);
    assert.is(await watched.page(version, "page"), words.join(""));
    assert.ok(watched.at >= ended + 400 - 5, `${watched.at - ended} ms after the last write`);
  });

  test("what is written while it is hashed is not out until it is at rest", async () => {
    await using site = await createFolder({ "a": "1", "film": randomBytes(8 * MIB), "z": "1" });
    const write = (n: number) => {
      for (const name of ["a", "z"]) writeFileSync(join(site.path, name), `${n}`);
    };
    let writes = 1;
    await using watched = await createWatchedSite(site.path, {
      onProgress({ bytes }) {
        // Files that were read already, and a film that is being read: each time in the middle.
        if (writes < 4 && bytes > 4 * MIB) write(++writes);
      },
    });
    assert.is(watched.versions.length, 1);
    const [version] = watched.versions;
    for (const name of ["a", "z"]) assert.is(await watched.page(version!, name), "4");
    assert.equal(watched.troubles, []);
  });

  test("three thousand files at once are one version", async () => {
    await using site = await createFolder({ "index.html": "one" });
    await using watched = await createWatchedSite(site.path, { quiet: 1_000 });
    const names: string[] = ["index.html"];
    for (let i = 0; i < 3_000; i++) names.push(`${i % 50}/${i}.html`);
    for (const name of names.slice(1)) {
      mkdirSync(join(site.path, name.split("/")[0]!), { recursive: true });
      writeFileSync(join(site.path, name), name);
    }
    await watched.version(2, 60_000);
    assert.equal(await watched.files(), names.sort());
    for (const name of names.slice(0, 1_500)) writeFileSync(join(site.path, name), `${name}!`);
    const version = await watched.version(3, 60_000);
    assert.is(await watched.page(version, names[1_499]!), `${names[1_499]}!`);
  });

  test("changes behind a link to a folder elsewhere are heard of", async () => {
    await using elsewhere = await createFolder({ "one/page": "one", "two/page": "two" });
    await using site = await createFolder({ "index.html": "index" });
    const link = join(site.path, "link");
    symlinkSync(join(elsewhere.path, "one"), link);
    await using watched = await createWatchedSite(site.path);
    const steps: [() => void, string][] = [
      [() => writeFileSync(join(elsewhere.path, "one/page"), "one!"), "one!"],
      [() => { // As deployments do it, so that there is no moment without.
        symlinkSync(join(elsewhere.path, "two"), `${link}~`);
        renameSync(`${link}~`, link);
      }, "two"],
      [() => writeFileSync(join(elsewhere.path, "two/page"), "two!"), "two!"],
    ];
    for (const [number, [step, page]] of steps.entries()) {
      const began = Date.now();
      step();
      assert.is(await watched.page(await watched.version(number + 2), "link/page"), page);
      assert.ok(watched.at - began < HEARD_MS, `${page}: ${watched.at - began} ms`);
    }
  });
});
