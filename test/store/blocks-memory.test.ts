/** What of the blocks on disk is in memory, and since when. */
import { Buffer } from "node:buffer";
import * as assert from "uvu/assert";
import { type Block, block, KIB, openBlocks, removeFiles } from "../helpers/disk-blocks.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

suite("blocks in memory", (test) => {
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

  test("what was put as a Buffer is handed out as a plain array", async () => {
    await using dir = await createFolder();
    const blocks = await openBlocks(dir.path, 16 * 1024 * KIB);
    const { cid, bytes } = await block(KIB);
    await blocks.put(cid, Buffer.from(bytes.buffer));
    const read = await blocks.read(cid);
    assert.is(read!.constructor, Uint8Array);
    assert.equal(read, bytes);
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
});
