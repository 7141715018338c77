/** A file whose root lies about its size, read from a peer: its hashes are right, and every block of it can be had. */
import * as assert from "uvu/assert";
import { utf8 } from "../helpers/bytes.ts";
import { refusal } from "../helpers/failure.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { createMemoryBlocks } from "../helpers/memory-blocks.ts";
import { file, leaf } from "../helpers/memory-files.ts";
import { suite } from "../helpers/suite.ts";

suite("a root that lies about its size", (test) => {
  test("is refused, and its peer still gives what is honest", async () => {
    const blocks = createMemoryBlocks();
    const ten = await leaf(blocks, "0123456789");
    const lies = await Promise.all([
      file([ten], [9]), // its part is longer
      file([ten], [2 ** 40]), // and much shorter
      file([ten], [10], { fileSize: 11n }),
    ].map((wire) => blocks.node(wire)));
    const honest = await blocks.node(file([ten, ten], [10, 10]));
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    for await (const { cid, bytes } of blocks.store.getAll()) {
      for await (const block of bytes) await seeder.helia.blockstore.put(cid, block);
    }
    await reader.meet(seeder);

    const read = async (root: string) => {
      const { entry } = await reader.open(`/ipfs/${root}`);
      if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
      const got: Uint8Array[] = [];
      for await (const piece of entry.bytes()) got.push(piece);
      return got;
    };
    for (const lie of lies) {
      await refusal("BAD_BLOCK", () => read(lie.toString()));
      assert.equal(reader.peers, [seeder.id]);
    }
    assert.equal(await read(honest.toString()), [utf8("0123456789"), utf8("0123456789")]);
    assert.equal([...reader.told, ...seeder.told], []);
  });
});
