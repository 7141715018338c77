/** Nodes as they are decoded: once for all readers, and no further than a reader goes. */
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { open } from "../../src/content/read.ts";
import { decodeNode } from "../../src/content/unixfs.ts";
import { textIn, utf8 } from "../helpers/bytes.ts";
import { refusal } from "../helpers/failure.ts";
import { createMemoryBlocks, RAW } from "../helpers/memory-blocks.ts";
import { suite } from "../helpers/suite.ts";

suite("content/unixfs", (test) => {
  test("a page is read beside a link that leads nowhere, which is told to whoever follows it", async () => {
    const blocks = createMemoryBlocks();
    const page = await blocks.put(RAW, utf8("a page"));
    const nowhere = { bytes: new Uint8Array([9, 9, 9]) } as CID;
    const folder = await blocks.node({
      type: "DIRECTORY",
      links: [{ cid: nowhere, name: "broken" }, { cid: page, name: "page" }],
    });
    assert.is(await textIn(await open(blocks, folder, ["page"])), "a page");
    const error = await refusal("BAD_BLOCK", () => open(blocks, folder, ["broken"]));
    assert.is(error.message, `The block ${folder} has a link that is not a CID.`);
  });

  test("a folder that many look into is decoded once, but never from other bytes than it was", async () => {
    const blocks = createMemoryBlocks();
    const folder = async (name: string) => {
      const cid = await blocks.node({ type: "DIRECTORY", links: [{ cid: await empty, name }] });
      return { cid, block: await blocks.get(cid) };
    };
    const empty = blocks.node({ type: "DIRECTORY" });
    const [mine, other] = [await folder("mine"), await folder("other")];
    const node = decodeNode(mine.cid, mine.block);
    assert.is(decodeNode(mine.cid, mine.block), node);
    const forged = decodeNode(mine.cid, other.block);
    assert.equal(forged.kind === "directory" && forged.links.map(({ name }) => name), ["other"]);
  });
});
