/** A folder becomes blocks: told as it goes, stopped at once, and never with a half-truth at the end. */
import { appendFileSync, truncateSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { open } from "../../src/content/read.ts";
import type { Store } from "../../src/content/tree.ts";
import { addFolder, type AddProgress } from "../../src/content/write.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { cutAvailable, startActor } from "../helpers/actor.ts";
import { inspect } from "../helpers/block-files.ts";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { failure, refusal, thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { createMemoryBlocks } from "../helpers/memory-blocks.ts";
import { onDeno } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

suite("seeding", (test, left) => {
  test("blocks hold as much as was asked for, and what they cannot hold is told", async () => {
    await using site = await createFolder({ "film.mp4": randomBytes(MIB + 1) });
    const { store } = createMemoryBlocks();
    const { cid } = await addFolder(store, site.path, { chunk: 64 * 1024 });
    const sizes: number[] = [];
    for await (const { bytes } of store.getAll()) {
      let size = 0;
      for await (const piece of bytes) size += piece.byteLength;
      sizes.push(size);
    }
    // 17 parts, the file, and the folder
    assert.equal([sizes.length, Math.max(...sizes), Math.min(...sizes)], [19, 64 * 1024, 1]);
    assert.not.equal((await addFolder(store, site.path)).cid, cid);
    for (const chunk of [0, -1, 1.5, MIB + 1]) {
      await refusal("BAD_OPTION", () => addFolder(store, site.path, { chunk }));
    }
  });

  test("progress is told piece by piece, and at the end it is exact", async () => {
    await using site = await createFolder({
      "film.mp4": randomBytes(5 * MIB + 1),
      "index.html": "Hello",
      "empty.txt": "",
    });
    const told: AddProgress[] = [];
    await addFolder(createMemoryBlocks().store, site.path, {
      onProgress: (progress) => told.push(progress),
    });

    const film = told.filter(({ path }) => path === "film.mp4").map(({ bytes }) => bytes);
    assert.ok(new Set(film).size >= 5, `a file of 6 pieces was told ${film.length} times`);
    assert.equal(
      told.map(({ bytes }) => bytes),
      told.map(({ bytes }) => bytes).sort((a, b) => a - b),
    );
    const { files, bytes, totalFiles, totalBytes } = told.at(-1)!;
    assert.equal([files, bytes], [3, 5 * MIB + 6]);
    assert.equal([totalFiles, totalBytes], [3, 5 * MIB + 6]);
    assert.is(told.filter((progress) => progress.files === 3).length, 1);
  });

  test("an abort in the middle of a file ends soon, with its reason and without half a block", async () => {
    await using site = await createFolder({ "film.mp4": randomBytes(64 * MIB) });
    await using dir = await createFolder();
    const blocks = new DiskBlocks(dir.path);
    await blocks.open();
    const stop = new AbortController();
    const reason = new Error("enough");
    let read = 0;
    const error = await thrown(addFolder(blocks, site.path, {
      signal: stop.signal,
      onProgress({ bytes }) {
        read = bytes;
        if (bytes > 8 * MIB) stop.abort(reason);
      },
    }));
    assert.is(error, reason);
    assert.ok(read < 12 * MIB, `${read / MIB} MiB were read`);
    const { whole, damaged, unfinished } = await inspect(dir.path);
    assert.ok(whole > 0);
    assert.equal([damaged, unfinished], [[], []]);
  });

  const changes: Record<string, { change: (file: string) => void; told: RegExp }> = {
    "grows": { change: (file) => appendFileSync(file, "!"), told: /^later\.bin changed while/ },
    "shrinks": { change: (file) => truncateSync(file, 10), told: /^later\.bin changed while/ },
    "is rewritten in place": {
      change: (file) => writeFileSync(file, "x", { flag: "r+" }),
      told: /^later\.bin changed while/,
    },
    "vanishes": { change: unlinkSync, told: /^later\.bin vanished while/ },
  };
  for (const [what, { change, told }] of Object.entries(changes)) {
    test(`a file that ${what} while the site is read is told, not published`, async () => {
      const names = Array.from({ length: 20 }, (_, i) => [`early-${i}.txt`, `${i}`]);
      await using site = await createFolder({
        ...Object.fromEntries(names),
        "later.bin": randomBytes(2 * MIB),
      });
      const file = join(site.path, "later.bin");
      utimesSync(file, 1e9, 1e9);
      let changed = false;
      const error = await failure(addFolder(createMemoryBlocks().store, site.path, {
        onProgress() {
          if (!changed) change(file);
          changed = true;
        },
      }));
      assert.is(error.code, "SITE_CHANGED");
      assert.match(error.message, told);
      assert.match(error.hint ?? "", /when the site is at rest/);
    });
  }

  const killed = "a process that ends in the middle of a write loses nothing that it had written";
  if (cutAvailable()) left(killed, cutAvailable()!);
  else {
    test(killed, async () => {
      const films = Array.from({ length: 6 }, (_, i) => [`film-${i}.mp4`, randomBytes(12 * MIB)]);
      await using site = await createFolder({
        ...Object.fromEntries(films),
        "index.html": "Hello",
      });
      /** Of each film twelve pieces and their parent; a page; the folder. */
      const BLOCKS = 6 * 13 + 2;
      await using dir = await createFolder();
      const stored = join(dir.path, "blocks");
      for (const mib of [28, 40, 56]) {
        await using victim = startActor(["seed", dir.path, site.path, String(mib * MIB)]);
        assert.match(String((await victim.exit).signal), /^SIG(XFSZ|KILL)$/, victim.log);
        const { whole, damaged, unfinished } = await inspect(stored);
        assert.ok(whole > 0 && whole < BLOCKS, `${whole} blocks`);
        assert.equal(damaged, []);
        if (onDeno) assert.ok(unfinished.length > 0, "it did not end in the middle of a write");
      }
      await using second = startActor(["seed", dir.path, site.path]);
      const { cid } = await second.events.until("done");
      await second.exit;
      const { cid: expected } = await addFolder(createMemoryBlocks().store, site.path);
      assert.is(cid, String(expected));
      assert.equal(await inspect(stored), { whole: BLOCKS, damaged: [], unfinished: [] });
    });
  }

  const sites = {
    "the film": { "film.mp4": randomBytes(8 * MIB) },
    "the page": { "film.mp4": randomBytes(8 * MIB), "index.html": "Hello" },
  };
  for (const [broken, files] of Object.entries(sites)) {
    test(`when ${broken} fails it has stopped writing`, async () => {
      await using site = await createFolder(files);
      const fault = new Error("the store broke");
      let begun = 0, writing = 0, sound = true;
      const slow: Store = {
        async put(cid, bytes) {
          begun++;
          const page = (bytes as Uint8Array).byteLength < MIB;
          if (sound && page === (broken === "the page")) {
            sound = false;
            // Not before others are being written, which is the point.
            while (writing === 0) await sleep(1);
            throw fault;
          }
          writing++;
          await sleep(20);
          writing--;
          return cid;
        },
      };
      assert.is(await thrown(addFolder(slow, site.path)), fault);
      assert.is(writing, 0);
      const before = begun;
      await sleep(60);
      assert.is(begun, before);
    });
  }

  const full = "a full disk is told, and what was stored before is intact";
  const why = mountAvailable();
  if (why !== undefined) left(full, why);
  else {
    test(full, async () => {
      await using first = await createFolder({ "index.html": "Hello", "a.bin": randomBytes(MIB) });
      await using second = await createFolder({ "film.mp4": randomBytes(16 * MIB) });
      await using disk = await createDisk("4m");
      const blocks = new DiskBlocks(disk.path, { memory: 0 });
      await blocks.open();
      const { cid } = await addFolder(blocks, first.path);

      const error = await failure(addFolder(blocks, second.path));
      assert.is(error.code, "DISK_FULL");
      assert.match(error.message, /disk that holds .* is full/);
      assert.match(error.hint ?? "", /Free some space/);

      const { damaged, unfinished } = await inspect(disk.path);
      assert.equal([damaged, unfinished], [[], []]);
      const page = await open({ get: async (c) => (await blocks.read(c))! }, cid, ["index.html"]);
      assert.is(page.kind, "file");
      const again = await addFolder(blocks, first.path);
      assert.equal(again.cid, cid);
    });
  }
});
