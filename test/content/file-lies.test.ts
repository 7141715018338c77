/** Files from strangers: what a hash confirms can still be a lie about sizes, and a tree without an end. */
import * as assert from "uvu/assert";
import { readFile } from "../../src/content/file.ts";
import { utf8 } from "../helpers/bytes.ts";
import { refusal } from "../helpers/failure.ts";
import { createMemoryBlocks, DAG_CBOR, DAG_PB, type Wire } from "../helpers/memory-blocks.ts";
import { decodeFile, file, leaf, read } from "../helpers/memory-files.ts";
import { suite } from "../helpers/suite.ts";

suite("content/file lies", (test) => {
  test("refuses a file whose blocks lie, and gives out none of the bytes that are wrong", async () => {
    const blocks = createMemoryBlocks();
    const ten = await leaf(blocks, "0123456789");
    const folder = await blocks.node({ type: "DIRECTORY" });
    const honest = await blocks.node(file([ten, ten], [10, 10]));
    const sizes = /more links than sizes, or fewer/;
    const other = /another size than its parent says/;
    const total = /another size than its parts have/;
    const lies: [Wire, RegExp][] = [
      [file([ten, ten], [10]), sizes],
      [file([ten], [10, 10]), sizes],
      // a leaf, then a node; longer than claimed, then shorter
      [file([ten], [9]), other],
      [file([ten], [11]), other],
      [file([honest, ten], [19, 10]), other],
      [file([honest, ten], [21, 10]), other],
      [file([ten], [10], { fileSize: 11n }), total],
      [file([ten], [10], { fileSize: 9n }), total],
      [file([ten, ten], [2 ** 53, 10]), /impossible size/],
      [{ ...file([ten], [10]), links: [{ cid: ten, name: "a" }] }, /parts have names/],
      [file([folder], [1]), /not a file/],
    ];
    for (const [wire, why] of lies) {
      const root = await blocks.node(wire);
      let bytes = 0;
      const { message } = await refusal("BAD_BLOCK", async () => {
        const node = decodeFile(root, await blocks.get(root));
        for await (const piece of readFile(blocks, root, node)) bytes += piece.byteLength;
      });
      assert.match(message, why);
      assert.is(bytes, 0, message);
    }
    const cbor = await blocks.put(DAG_CBOR, new Uint8Array([0xa0]));
    const root = await blocks.node(file([cbor], [1]));
    await refusal("UNSUPPORTED", () => read(blocks, root));
  });

  test("refuses bytes that are no node", async () => {
    const blocks = createMemoryBlocks();
    for (const bytes of [[0xff], [], [0x0a, 0x02, 0x08], [0x0a, 0x02, 0x08, 0x09]]) {
      const root = await blocks.put(DAG_PB, new Uint8Array(bytes));
      await refusal("BAD_BLOCK", () => read(blocks, root));
    }
  });

  test("a file that is a part of itself ends, as does one below a thousand others", async () => {
    const blocks = createMemoryBlocks();
    const circle = await leaf(blocks, "stands for a circle");
    for (const data of ["", "x"]) {
      const forged = await blocks.node({ type: "FILE", data: utf8(data) });
      await blocks.forge(forged, file([forged], [10], { data: utf8(data) }));
      await refusal("BAD_BLOCK", () => read(blocks, forged));
    }
    let chain = circle;
    for (let i = 0; i < 1_000; i++) chain = await blocks.node(file([chain], [19]));
    await refusal("BAD_BLOCK", () => read(blocks, chain));
    assert.ok(blocks.asked.length < 300, `${blocks.asked.length} blocks were read`);
  });
});
