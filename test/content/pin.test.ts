/** Pins, in a real node: what is promised survives the garbage collection of Helia, and what is not goes. */
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import type { Blocks } from "../../src/content/blocks.ts";
import { pinAll, pinEach } from "../../src/content/pin.ts";
import { utf8 } from "../helpers/bytes.ts";
import { refusal } from "../helpers/failure.ts";
import { createMemoryBlocks, DAG_PB } from "../helpers/memory-blocks.ts";
import { bytes, counted, createHome } from "../helpers/pin-home.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

suite("content/pin", (test) => {
  test("names the leaves of a large file without reading them", async () => {
    await using home = await createHome();
    const [root, all] = await home.add({ "film": bytes(3.5 * MIB, 1), "page": utf8("page") });
    assert.is(all.length, 1 + 1 + 4 + 1);
    const { blocks, asked } = counted(home.node.blocks);
    await pinAll(home.node.helia, blocks, root, "/ipns/docs.example.org");
    assert.equal(asked, all.filter((cid) => CID.parse(cid).code === DAG_PB));
    for (const cid of all) assert.ok(await home.node.helia.pins.isPinned(CID.parse(cid)), cid);
    assert.equal((await home.node.helia.pins.get(root)).metadata, {
      address: "/ipns/docs.example.org",
    });
  });

  test("a garbage collection spares what is pinned, and removes the rest", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const [kept, all] = await home.add({
      "a/1": bytes(1.5 * MIB, 2),
      "a/2": utf8("2"),
      "b": utf8("b"),
    });
    // a page of its own, and what is in both folders
    const [, others] = await home.add({ "c": utf8("c"), "b": utf8("b"), "d": bytes(1.5 * MIB, 3) });
    await pinAll(helia, blocks, kept, "kept");
    await helia.gc();
    assert.equal(await home.onDisk(all), all);
    assert.equal(await home.onDisk(others), others.filter((cid) => all.includes(cid)));
    assert.ok(others.some((cid) => all.includes(cid)));
  });

  test("a folder passed through is kept, without what nobody opened in it", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const [root, all] = await home.add({ "a/page": utf8("page"), "a/other": utf8("other") });
    const [a, page] = [await home.cid(root, "a"), await home.cid(root, "a/page")];
    await pinEach(helia, blocks, [root, a], "page");
    await pinAll(helia, blocks, page, "page");
    await pinEach(helia, blocks, [root, a], "page"); // as with every page after the first
    await helia.gc();
    assert.equal(await home.onDisk(all), [root, a, page].map(String));
  });

  test("a folder passed through and then wanted whole is kept whole, whoever else lets it go", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const files = { "a/b/page": bytes(1.5 * MIB, 4), "a/other": utf8("other"), "c": utf8("c") };
    const [root, all] = await home.add(files);
    const [a, b] = [await home.cid(root, "a"), await home.cid(root, "a/b")];
    const [, below] = await home.tree(a);
    await pinAll(helia, blocks, root, "the whole site");
    await pinEach(helia, blocks, [a, b], "on the way");
    await pinAll(helia, blocks, a, "a part of it");
    await pinAll(helia, blocks, a, "a part of it");
    for await (const _ of helia.pins.rm(root));
    await helia.gc();
    assert.equal(await home.onDisk(all), below);
  });

  test("to be interrupted while more is wanted takes away nothing", async () => {
    await using home = await createHome();
    const { helia, blocks } = home.node;
    const [root, all] = await home.add({ "page": utf8("page"), "film": bytes(1.5 * MIB, 5) });
    await pinEach(helia, blocks, [root], "on the way");
    const reason = new Error("the node stops");
    const stopped: Blocks = { get: () => Promise.reject(reason) };
    await pinAll(helia, stopped, root, "whole")
      .then(() => assert.unreachable(), (error) => assert.is(error, reason));
    await helia.gc();
    assert.ok((await home.onDisk(all)).includes(String(root)));
  });

  test("pages that are kept at the same time do not lose each other's blocks", async () => {
    await using home = await createHome();
    const { helia } = home.node;
    const shared = Object.fromEntries([...Array(20).keys()].map((i) => [`${i}`, utf8(`${i}`)]));
    const roots: CID[] = [];
    let last: string[] = [];
    for (const page of ["one", "two", "three", "four"]) {
      const [root, all] = await home.add({ ...shared, [page]: utf8(page) });
      roots.push(root);
      last = all;
    }
    await Promise.all(roots.map((root) => pinAll(helia, home.source, root, String(root))));
    for (const root of roots.slice(0, -1)) {
      for await (const _ of helia.pins.rm(root));
      await helia.gc();
      assert.equal(await home.onDisk(last), last);
    }
  });

  test("a node that cannot be read is an error, not a pin", async () => {
    await using home = await createHome();
    const broken = createMemoryBlocks();
    const root = await broken.put(DAG_PB, new Uint8Array([0xff]));
    await refusal("BAD_BLOCK", () => pinAll(home.node.helia, broken, root, "broken"));
    for await (const { cid } of home.node.helia.pins.ls()) assert.unreachable(String(cid));
  });
});
