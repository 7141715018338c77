/** Blocks on disk: what is served is whole, what is damaged counts as missing, and memory is only a shortcut. */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import type { NethoodError } from "../../src/errors.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { inspect } from "../helpers/block-files.ts";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

const KIB = 1024;

interface Block {
  cid: CID;
  bytes: Uint8Array;
}

async function block(size: number): Promise<Block> {
  const bytes = new Uint8Array(randomBytes(size));
  return { cid: CID.createV1(RAW, await sha256.digest(bytes)), bytes };
}

async function openBlocks(dir: string, memory = 0): Promise<DiskBlocks> {
  const blocks = new DiskBlocks(dir, { memory });
  await blocks.open();
  return blocks;
}

/** The block files below a folder. */
function filesIn(dir: string): string[] {
  const files = readdirSync(dir, { recursive: true, encoding: "utf8" });
  return files.filter((file) => file.endsWith(".data")).map((file) => join(dir, file));
}

/** The one block file below a folder. */
function fileIn(dir: string): string {
  return filesIn(dir)[0]!;
}

function removeFiles(dir: string): void {
  filesIn(dir).forEach((file) => unlinkSync(file));
}

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

  test("memory holds the blocks asked for most, up to its size, and the rest is served from disk", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path, 10 * KIB);
    const [a, b, c, large] = await Promise.all([4, 4, 4, 11].map((kib) => block(kib * KIB)));
    // What was put is held while there is room: b and a.
    for (const { cid, bytes } of [b!, a!, c!, large!]) await blocks.put(cid, bytes);
    // c is asked for more than b, which came first, so that c displaces b; the large one fits nowhere.
    for (const { cid } of [a!, b!, a!, c!, c!, large!]) await blocks.read(cid);
    for (const { cid, bytes } of [a!, b!, c!, large!].reverse()) {
      assert.equal(await (await openBlocks(dir.path)).read(cid), bytes);
    }
    removeFiles(dir.path);
    const held = await Promise.all([a!, b!, c!, large!].map(({ cid }) => blocks.has(cid)));
    assert.equal(held, [true, false, true, false]);
  });

  test("the last few that came are handed out from memory, though others are asked for more", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path, 32 * KIB);
    const popular = await block(32 * KIB);
    await blocks.put(popular.cid, popular.bytes);
    for (let time = 0; time < 9; time++) await blocks.read(popular.cid);
    const few = await Promise.all(Array.from({ length: 5 }, () => block(KIB)));
    const large = await block(2 * KIB);
    const put = ({ cid, bytes }: Block) => blocks.put(cid, bytes);
    const isHeld = async ({ cid }: Block) => await blocks.read(cid) !== undefined;
    for (const one of [...few.slice(0, 4), large]) await put(one);
    removeFiles(dir.path);
    for (const one of few.slice(0, 4)) assert.ok(await isHeld(one));
    assert.not(await isHeld(large), "it is more than its part");
    await put(few[4]!);
    removeFiles(dir.path);
    assert.not(await isHeld(few[0]!));
    for (const one of [...few.slice(1), popular]) assert.ok(await isHeld(one));
    await blocks.delete(few[4]!.cid);
    assert.not(await isHeld(few[4]!));
  });

  test("a small block is in memory as soon as it is here, a large one once it was asked for", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path, 16 * 1024 * KIB);
    const put = async (one: Block) => {
      await blocks.put(one.cid, one.bytes);
      return one;
    };
    const small = await put(await block(256 * KIB));
    const large = await put(await block(256 * KIB + 1));
    const asked = await put(await block(256 * KIB + 1));
    // Others come after them.
    for (let n = 0; n < 4; n++) await put(await block(KIB));
    await blocks.read(asked.cid);
    removeFiles(dir.path);
    const held = await Promise.all([small, large, asked].map(({ cid }) => blocks.has(cid)));
    assert.equal(held, [true, false, true]);
  });

  test("a block that many read at once is in memory once", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path);
    const { cid, bytes } = await block(4 * KIB);
    await blocks.put(cid, bytes);
    const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => blocks.read(cid)));
    assert.equal(first, bytes);
    for (const other of others) assert.is(other, first);
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
