/** Documents below the gateway: their links are found, followed and pinned, and nothing else is taken for one. */
import * as dagCbor from "@ipld/dag-cbor";
import * as dagPb from "@ipld/dag-pb";
import * as assert from "uvu/assert";
import type { Blocks } from "../../src/content/blocks.ts";
import { everything, part, single, walk } from "../../src/content/dag.ts";
import { linksOf } from "../../src/content/document.ts";
import { resolve } from "../../src/content/export.ts";
import { pinAll } from "../../src/content/pin.ts";
import { locate, open } from "../../src/content/read.ts";
import { file, leaf } from "../helpers/memory-files.ts";
import { utf8 } from "../helpers/bytes.ts";
import { createMemoryBlocks, DAG_CBOR, DAG_PB, RAW } from "../helpers/memory-blocks.ts";
import { refusal } from "../helpers/failure.ts";
import { createShelf } from "../helpers/shelf.ts";
import { suite } from "../helpers/suite.ts";

async function collect(steps: AsyncIterable<{ cid: unknown }>): Promise<string[]> {
  const cids: string[] = [];
  for await (const { cid } of steps) cids.push(String(cid));
  return cids;
}

suite("content/document", (test) => {
  test("where a path leads is known without its last block", async () => {
    const blocks = createMemoryBlocks();
    const away = await blocks.put(RAW, utf8("away"));
    const doc = await blocks.put(DAG_CBOR, dagCbor.encode({ list: [{ away }] }));
    const root = await blocks.node({ type: "DIRECTORY", links: [{ cid: doc, name: "doc" }] });
    blocks.only = [root, doc];
    const found = await locate(blocks, root, ["doc", "list", "0", "away"]);
    assert.is(String(found.cid), String(away));
    assert.equal(found.above.map(String), [root, doc].map(String));
    assert.equal(found.roots.map(String), [root, doc, away].map(String));
    assert.not.ok(blocks.asked.includes(String(away)));
    const { message } = await refusal(
      "UNSUPPORTED",
      () => open(blocks, root, ["doc", "list", "0"]),
    );
    assert.match(message, "/list/0 is a part of the document");
  });

  test("links of each kind of block are found, in their order", async () => {
    const blocks = createMemoryBlocks();
    const [a, b] = [await leaf(blocks, "a"), await leaf(blocks, "b")];
    const of = async (code: number, bytes: Uint8Array) =>
      linksOf(await blocks.put(code, bytes), bytes).map(String);
    const both = [b, a].map(String);
    assert.equal(await of(DAG_CBOR, dagCbor.encode([b, { x: [a] }])), both);
    assert.equal(await of(0x51, dagCbor.encode([b, a])), both);
    const links = utf8(`[{"/":"${b}"},{"/":"${a}"}]`);
    assert.equal(await of(0x0129, links), both);
    assert.equal(await of(0x0200, links), [], "plain JSON has none");
    const node = dagPb.encode(dagPb.prepare({ Links: [{ Hash: b }, { Hash: a }] }));
    assert.equal(await of(DAG_PB, node), both);
    await refusal("BAD_BLOCK", () => of(DAG_CBOR, utf8("no cbor")));
  });

  test("a pin of a document holds what it links to, through a garbage collection", async () => {
    await using shelf = await createShelf();
    const { blocks, node } = shelf;
    const kept = await blocks.put(RAW, utf8("kept"));
    const inner = await blocks.put(DAG_CBOR, dagCbor.encode({ kept }));
    const doc = await blocks.put(DAG_CBOR, dagCbor.encode({ inner }));
    const loose = await blocks.put(RAW, utf8("loose"));
    await shelf.stock();
    await pinAll(node.helia, node.blocks, doc, "test");
    await node.helia.gc();
    for (const cid of [kept, inner, doc]) assert.ok(await node.helia.blockstore.has(cid));
    assert.not.ok(await node.helia.blockstore.has(loose));
  });
});

suite("content/dag", (test) => {
  test("a walk comes depth first, and once to each block, however often it is linked", async () => {
    const blocks = createMemoryBlocks();
    const [a, b] = [await leaf(blocks, "a"), await leaf(blocks, "b")];
    const left = await blocks.put(DAG_CBOR, dagCbor.encode([a, b]));
    const right = await blocks.put(DAG_CBOR, dagCbor.encode([b, left]));
    const root = await blocks.put(DAG_CBOR, dagCbor.encode([left, right]));
    const once = await collect(walk(blocks, [everything(root)]));
    assert.equal(once, [root, left, a, b, right].map(String));
    const all = await collect(walk(blocks, [everything(root)], { duplicates: true }));
    assert.equal(all, [root, left, a, b, right, b, left, a, b].map(String));
    // What lies on the path is walked all the same where the target comes to it again.
    const again = await collect(walk(blocks, [single(left), everything(root)]));
    assert.equal(again, [left, root, a, b, right].map(String));
  });

  test("a subtree that stands at two places of a file is walked for each part of it", async () => {
    const blocks = createMemoryBlocks();
    const [a, b] = [await leaf(blocks, "aaaaa"), await leaf(blocks, "bbbbb")];
    const twin = await blocks.node(file([a, b], [5, 5]));
    const root = await blocks.node(file([twin, twin], [10, 10]));
    const whole = { start: 0, end: 20 };
    const walked = (start: number, end: number) =>
      collect(walk(blocks, [part(root, { start, end }, whole)]));
    assert.equal(await walked(7, 15), [root, twin, b, a].map(String));
    assert.equal(await walked(0, 20), [root, twin, a, b].map(String));
    assert.equal(await walked(12, 13), [root, twin, a].map(String));
    const liar = await blocks.node(file([twin], [11]));
    await refusal(
      "BAD_BLOCK",
      () => collect(walk(blocks, [part(liar, whole, { start: 0, end: 11 })])),
    );
  });

  test("a reader who stops stops the reads that are under way", async () => {
    const blocks = createMemoryBlocks();
    const leaves = await Promise.all(Array.from({ length: 50 }, (_, i) => leaf(blocks, `${i}`)));
    const root = await blocks.put(DAG_CBOR, dagCbor.encode(leaves));
    blocks.only = [root, leaves[0]!];
    let waiting = 0;
    const get: Blocks["get"] = (cid, options) => {
      waiting++;
      return blocks.get(cid, options).finally(() => waiting--);
    };
    const steps = walk({ get }, [everything(root)]);
    await steps.next();
    await steps.next();
    assert.ok(waiting > 1 && waiting <= 8, `${waiting}`);
    await steps.return(undefined);
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.is(waiting, 0);
  });

  test("entity-bytes of a file of 100 bytes", () => {
    const cases: [number, number | undefined, number, number][] = [
      [0, undefined, 0, 100],
      [0, 0, 0, 1],
      [10, 19, 10, 20],
      [10, 999, 10, 100],
      [-10, undefined, 90, 100],
      [-999, -3, 0, 98],
      [50, -1, 50, 100],
    ];
    for (const [from, to, start, end] of cases) {
      assert.equal(resolve({ from, to }, 100), { start, end }, `${from}:${to}`);
    }
    for (const [from, to] of [[100, 200], [50, 20], [0, -200]] as const) {
      const { start, end } = resolve({ from, to }, 100);
      assert.ok(start >= end, `${from}:${to}`);
    }
  });
});
