/** Everything below a root, in whatever order it comes. */
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { gather, type Gathered } from "../../src/content/gather.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createFileBlocks } from "../helpers/blocks-of-file.ts";
import { failure } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";

suite("gather", (test) => {
  test("many that are left out at once are left out, and the rest comes, each once", async () => {
    const files = Array.from({ length: 100 }, (_, n) => [`${n}.txt`, `file ${n}`]);
    await using folder = await createFolder(Object.fromEntries(files));
    await using node = await createLoopbackNode();
    const { cid: root } = await createSeeder(node).publish(folder.path, {
      name: "docs.example.org",
    });
    const walk = async (skip: (cid: CID) => boolean) => {
      const came: string[] = [];
      let turn = 0;
      const options = {
        // Known at once, hardly later, or only when a disk has been asked.
        async skip(cid: CID) {
          const later = turn++ % 3;
          if (later === 1) await undefined;
          if (later === 2) await new Promise((resolve) => setTimeout(resolve, 1));
          return skip(cid);
        },
      };
      for await (const { cid } of gather(node.blocks, root, options)) came.push(String(cid));
      return came;
    };
    const all = await walk(() => false);
    assert.is(new Set(all).size, 101);
    assert.is(all.length, 101);
    assert.equal(await walk((cid) => !cid.equals(root)), [String(root)]);
    const [left] = all.slice(50);
    assert.equal((await walk((cid) => String(cid) === left)).length, 100);
  });

  test("nodes are handed over, leaves only counted; and nobody is asked for what is to be here", async () => {
    const { root, members, leaves } = await createFileBlocks({ leaves: 2 });
    const [node, first, second] = members;
    await using reader = await createLoopbackNode();
    const put = ({ cid, bytes }: (typeof members)[number]) =>
      reader.helia.blockstore.put(cid, bytes);
    await put(node!);
    await put(first!);
    const gathered: Gathered[] = [];
    const walk = async () => {
      gathered.length = 0;
      const all = gather(reader.blocks, root, { local: true });
      for await (const block of all) gathered.push(block);
    };
    assert.is((await failure(walk())).code, "NOT_CACHED");
    await put(second!);
    await walk();
    const size = first!.bytes.byteLength;
    assert.equal(gathered.shift(), { cid: root, block: node!.bytes, size: node!.bytes.byteLength });
    assert.equal(gathered.map(({ cid }) => String(cid)).sort(), leaves.map(String).sort());
    for (const { block, size: bytes } of gathered) assert.equal([block, bytes], [undefined, size]);
  });
});
