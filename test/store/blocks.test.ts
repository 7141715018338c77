/** Blocks on disk: what is served is whole, what is damaged counts as missing, and memory is only a shortcut. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { NethoodError } from "../../src/errors.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { inspect } from "../helpers/block-files.ts";
import { type Block, block, fileIn, KIB, openBlocks } from "../helpers/disk-blocks.ts";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

suite("blocks", (test, left) => {
  test("what was put is there after a restart: get, has, getMany", async () => {
    await using dir = await createFolder();
    const all = await Promise.all([block(0), block(10), block(1024 * KIB)]);
    const first = await openBlocks(dir.path);
    for (const { cid, bytes } of all) await first.put(cid, bytes);

    const second = await openBlocks(dir.path);
    const cids = all.map(({ cid }) => cid);
    const got: Uint8Array[] = [];
    for await (const pair of second.getMany(cids)) {
      for await (const bytes of pair.bytes) got.push(bytes);
    }
    assert.equal(got, all.map(({ bytes }) => bytes));
    for (const cid of cids) assert.ok(await second.has(cid));

    const { cid } = await block(10);
    assert.not(await second.has(cid));
    assert.is(await second.read(cid), undefined);
    assert.is((await thrown(second.get(cid).next()) as Error).name, "NotFoundError");
  });

  test("what is deleted is gone, from memory too, and may be deleted again", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path, 1024 * KIB);
    const { cid, bytes } = await block(KIB);
    await blocks.put(cid, bytes);
    await blocks.read(cid);
    await blocks.delete(cid);
    await blocks.delete(cid);
    assert.not(await blocks.has(cid));
    assert.is(await blocks.read(cid), undefined);
  });

  const damages: Record<string, (file: string) => void> = {
    "cut short": (file) => truncateSync(file, 100),
    "emptied": (file) => truncateSync(file, 0),
    "changed in one byte": (file) => {
      const bytes = readFileSync(file);
      bytes[5]! ^= 1;
      writeFileSync(file, bytes);
    },
  };
  for (const [how, damage] of Object.entries(damages)) {
    test(`a block that was ${how} on disk is missing, and mended by whoever brings it`, async () => {
      await using dir = await createFolder();
      const blocks = await openBlocks(dir.path);
      const { cid, bytes } = await block(4 * KIB);
      await blocks.put(cid, bytes);
      const file = fileIn(dir.path);

      damage(file);
      assert.is(await blocks.read(cid), undefined);
      assert.not(existsSync(file), "the damaged file is still there");

      // Helia asks `has` before it brings a block.
      await blocks.put(cid, bytes);
      damage(file);
      assert.not(await blocks.has(cid));
      await blocks.put(cid, bytes);
      damage(file);
      await blocks.put(cid, bytes);
      assert.equal(await blocks.read(cid), bytes);
    });
  }

  test("a block that was checked is checked again once its length is another, and at the next start", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path);
    const { cid, bytes } = await block(4 * KIB);
    await blocks.put(cid, bytes);
    const file = fileIn(dir.path);
    const grown = (file: string) => writeFileSync(file, new Uint8Array(5 * KIB));
    for (const damage of [damages["cut short"]!, grown]) {
      assert.equal(await blocks.read(cid), bytes);
      damage(file);
      assert.is(await blocks.read(cid), undefined);
      await blocks.put(cid, bytes);
    }
    // Nobody else writes here: the hash of a block that was whole is not worked out for each reader.
    assert.equal(await blocks.read(cid), bytes);
    damages["changed in one byte"]!(file);
    assert.is((await blocks.read(cid))?.byteLength, bytes.byteLength);
    assert.is(await (await openBlocks(dir.path)).read(cid), undefined);
  });

  test("a reader of a damaged block does not remove the good one that is put meanwhile", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path);
    const { cid, bytes } = await block(256 * KIB);
    await blocks.put(cid, bytes);
    const file = fileIn(dir.path);
    for (let round = 0; round < 50; round++) {
      truncateSync(file, 1000);
      const readers = Array.from({ length: 4 }, () => blocks.read(cid));
      await Promise.all([...readers, blocks.put(cid, bytes)]);
      assert.ok(existsSync(file), `lost in round ${round}`);
    }
  });

  test("many puts of one block at once leave one whole file", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path);
    const { cid, bytes } = await block(512 * KIB);
    await Promise.all(Array.from({ length: 20 }, () => blocks.put(cid, bytes)));
    assert.equal(await inspect(dir.path), { whole: 1, damaged: [], unfinished: [] });
  });

  test("a block in pieces is put together", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path);
    const { cid, bytes } = await block(10);
    await blocks.put(cid, [bytes.subarray(0, 3), bytes.subarray(3)]);
    assert.equal(await blocks.read(cid), bytes);
  });

  test("what a killed process left unfinished is swept away at the next start", async () => {
    await using dir = await createFolder();
    const first = await openBlocks(dir.path);
    const { cid, bytes } = await block(KIB);
    await first.put(cid, bytes);
    writeFileSync(join(dir.path, "unfinished", "7"), "half a bl");
    await openBlocks(dir.path);
    assert.equal(await inspect(dir.path), { whole: 1, damaged: [], unfinished: [] });
  });

  test("an abort passes its reason through, before and during a read", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path, 10 * KIB);
    const { cid, bytes } = await block(KIB);
    const cold = await block(100 * KIB);
    await blocks.put(cid, bytes);
    await blocks.put(cold.cid, cold.bytes);
    await blocks.read(cid);
    const reason = new Error("enough");
    const aborted = { signal: AbortSignal.abort(reason) };
    const calls = {
      get: () => blocks.get(cid, aborted).next(),
      has: () => blocks.has(cid, aborted),
      put: () => blocks.put(cid, bytes, aborted),
      delete: () => blocks.delete(cid, aborted),
    };
    for (const [name, call] of Object.entries(calls)) {
      assert.is(await thrown(call()), reason, name);
    }
    assert.ok(await blocks.has(cid));

    const stop = new AbortController();
    const reading = thrown(blocks.read(cold.cid, stop));
    stop.abort(reason);
    assert.is(await reading, reason);
  });

  test("a file where the folder should be is told", async () => {
    await using dir = await createFolder({ "blocks": "a file" });
    for (const path of ["blocks", "blocks/below"]) {
      const error = await failure(new DiskBlocks(join(dir.path, path)).open());
      assert.is(error.code, "DIR_UNWRITABLE");
      assert.match(error.message, /a file is in the way/);
      assert.match(error.hint!, /Move that file away/);
    }
  });

  const mounted = "a disk that is full, or read-only, is told; what is on it can be read";
  const why = mountAvailable();
  if (why !== undefined) left(mounted, why);
  else {
    test(mounted, async () => {
      await using disk = await createDisk("2m");
      const dir = join(disk.path, "blocks");
      await mkdir(dir);
      const blocks = await openBlocks(dir);
      const stored: Block[] = [];
      let error: NethoodError | undefined;
      while (error === undefined && stored.length < 100) {
        const next = await block(100 * KIB);
        await blocks.put(next.cid, next.bytes).then(
          () => stored.push(next),
          (cause) => error = cause,
        );
      }
      assert.is(error?.code, "DISK_FULL");
      assert.match(error!.hint!, /Free some space/);
      assert.ok(stored.length > 5);
      assert.equal((await inspect(dir)).unfinished, []);
      for (const { cid, bytes } of stored) assert.equal(await blocks.read(cid), bytes);
      // What is there needs no room.
      await blocks.put(stored[0]!.cid, stored[0]!.bytes);

      disk.remount("ro");
      const { cid, bytes } = await block(10);
      const refused = await failure(blocks.put(cid, bytes));
      assert.is(refused.code, "DIR_UNWRITABLE");
      assert.match(refused.hint!, /--dir/);
      assert.is((await failure(blocks.delete(stored[0]!.cid))).code, "DIR_UNWRITABLE");
      assert.is((await failure(new DiskBlocks(dir).open())).code, "DIR_UNWRITABLE");
      for (const { cid, bytes } of stored) assert.equal(await blocks.read(cid), bytes);
    });
  }
});
