import { exporter } from "ipfs-unixfs-exporter";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import { balanced, trickle } from "ipfs-unixfs-importer/layout";
import type { ImporterOptions } from "ipfs-unixfs-importer";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { AHEAD, type Range, readFile } from "../../src/content/file.ts";
import { concat, utf8 } from "../helpers/bytes.ts";
import { refusal } from "../helpers/failure.ts";
import { createMemoryBlocks, type MemoryBlocks, RAW, type Wire } from "../helpers/memory-blocks.ts";
import { decodeFile, file, leaf, read } from "../helpers/memory-files.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

/** Bytes that say where they are: 13 blocks of 16, the last one shorter. */
const BYTES = Uint8Array.from({ length: 205 }, (_, i) => i);
const CHUNK = 16;
const SMALL = { chunker: fixedSize({ chunkSize: CHUNK }) };

/** The shapes in which files come, each of several levels. */
const SHAPES: Record<string, ImporterOptions> = {
  "a balanced tree of raw leaves": { ...SMALL, layout: balanced({ maxChildrenPerNode: 3 }) },
  "leaves in dag-pb, as older programs made them": {
    ...SMALL,
    cidVersion: 0,
    rawLeaves: false,
    layout: balanced({ maxChildrenPerNode: 3 }),
  },
  "a trickle tree": { ...SMALL, layout: trickle({ maxChildrenPerNode: 2, layerRepeat: 2 }) },
};

suite("content/file", (test) => {
  for (const [shape, options] of Object.entries(SHAPES)) {
    test(`every range of ${shape}, as others read it`, async () => {
      const blocks = createMemoryBlocks();
      const root = await blocks.add([{ path: "a", content: BYTES }], {
        ...options,
        wrapWithDirectory: false,
      });
      const others = await exporter(root, blocks.store);
      if (others.type !== "file") throw new Error(`a ${others.type}`);
      assert.equal(await read(blocks, root), BYTES);
      // the borders of each block, and a byte on both sides of them
      const places = [...BYTES.keys(), 205].filter((i) =>
        [0, 1, 15].includes(i % CHUNK) || i > 203
      );
      for (const start of places) {
        for (const end of places.filter((end) => end >= start)) {
          const bytes = await read(blocks, root, { start, end });
          assert.equal(bytes, BYTES.subarray(start, end), `${start} to ${end}`);
        }
        const rest = { offset: start, length: 20 };
        const theirs = await concat(others.content(rest));
        assert.equal(await read(blocks, root, { start, end: start + 20 }), theirs);
      }
    });
  }

  test("a node that holds bytes itself, before those of its parts", async () => {
    const blocks = createMemoryBlocks();
    const parts = [leaf(blocks, "cd"), leaf(blocks, ""), leaf(blocks, "ef")];
    const root = await blocks.node(file(await Promise.all(parts), [2, 0, 2], { data: utf8("ab") }));
    for (let start = 0; start <= 6; start++) {
      for (let end = start; end <= 6; end++) {
        assert.equal(await read(blocks, root, { start, end }), utf8("abcdef".slice(start, end)));
      }
    }
  });

  test("an empty file, whatever wrote it, has no bytes", async () => {
    const blocks = createMemoryBlocks();
    const options = { wrapWithDirectory: false };
    const empty = [{ path: "a", content: new Uint8Array() }];
    const made = [
      await blocks.add(empty, options),
      await blocks.add(empty, { ...options, cidVersion: 0, rawLeaves: false }),
      await blocks.node({ type: "FILE" }),
      await blocks.node({ type: "RAW", data: new Uint8Array(), fileSize: 0n }),
    ];
    for (const root of made) assert.equal(await read(blocks, root), new Uint8Array());
  });

  test("a range reads the blocks that it needs, and no other", async () => {
    const blocks = createMemoryBlocks();
    const root = await blocks.add([{ path: "a", content: BYTES }], {
      ...SMALL,
      wrapWithDirectory: false,
    });
    const [, leaves] = await twoLevels(blocks, root);
    const cases: [Range, number[]][] = [
      [{ start: 0, end: 1 }, [0]],
      [{ start: 15, end: 16 }, [0]],
      [{ start: 15, end: 17 }, [0, 1]],
      [{ start: 16, end: 32 }, [1]],
      [{ start: 100, end: 140 }, [6, 7, 8]],
      [{ start: 204, end: 205 }, [12]],
      [{ start: 50, end: 50 }, []],
    ];
    for (const [range, needed] of cases) {
      blocks.asked.length = 0;
      await read(blocks, root, range);
      assert.equal(
        blocks.asked.slice(1),
        needed.map((i) => String(leaves[i])),
        JSON.stringify(range),
      );
    }
  });

  test("a slow reader never makes more than a few blocks be asked for, however deep the tree", async () => {
    const blocks = createMemoryBlocks();
    const content = Uint8Array.from({ length: 3_200 }, (_, i) => i % CHUNK ? 0 : i / CHUNK);
    const root = await blocks.add([{ path: "a", content }], {
      ...SMALL,
      layout: balanced({ maxChildrenPerNode: 4 }),
      wrapWithDirectory: false,
    });
    const order = await preOrder(blocks, root);
    const node = decodeFile(root, await blocks.get(root));
    blocks.asked.length = 0;
    let most = 0;
    for await (const bytes of readFile(blocks, root, node)) {
      await quiet();
      const leaf = String(await blocks.put(RAW, bytes));
      most = Math.max(most, blocks.asked.length - order.indexOf(leaf));
    }
    assert.is(blocks.asked.length, order.length - 1);
    assert.is(most, AHEAD);
  });

  test("a large file: as many blocks on their way as allowed, and none of far-off parts", async () => {
    const blocks = createMemoryBlocks();
    // 48 times the same MiB, below three nodes that stand for 16 each
    const mib = await blocks.put(RAW, new Uint8Array(MIB));
    const sixteen = (n: number): Wire =>
      file(Array(16).fill(mib), Array(16).fill(MIB), { mtime: { seconds: BigInt(n) } });
    const nodes = [];
    for (const n of [1, 2, 3]) nodes.push(await blocks.node(sixteen(n)));
    const root = await blocks.node(file(nodes, [16 * MIB, 16 * MIB, 16 * MIB]));
    const left = new AbortController();
    const node = decodeFile(root, await blocks.get(root));
    blocks.asked.length = 0;
    blocks.only = [nodes[0]!];
    const first = readFile(blocks, root, node, undefined, left).next();
    await quiet();
    assert.equal(blocks.asked, [String(nodes[0]), ...Array(AHEAD).fill(String(mib))]);
    left.abort();
    await first.then(() => assert.unreachable(), (error) => assert.is(error, left.signal.reason));
  });

  test("a thousand readers of large files together ask for no more than a bounded number of blocks ahead", async () => {
    const blocks = createMemoryBlocks();
    const mib = await blocks.put(RAW, new Uint8Array(MIB));
    const root = await blocks.node(file(Array(16).fill(mib), Array(16).fill(MIB)));
    const node = decodeFile(root, await blocks.get(root));
    blocks.asked.length = 0;
    blocks.only = [root];
    const left = new AbortController();
    const readers = Array.from(
      { length: 1_000 },
      () => readFile(blocks, root, node, undefined, left).next(),
    );
    await quiet();
    const asked = blocks.asked.length;
    assert.ok(asked >= 1_000, "each has what it waits for");
    assert.ok(asked <= 1_000 + 128, `${asked} blocks are on their way`);
    left.abort();
    await Promise.allSettled(readers);
    // What they had is free again.
    blocks.asked.length = 0;
    const again = new AbortController();
    const one = readFile(blocks, root, node, undefined, again).next();
    await quiet();
    assert.is(blocks.asked.length, AHEAD);
    again.abort();
    await Promise.allSettled([one]);
  });

  test("a reader who leaves, or gives up, stops what is under way", async () => {
    const blocks = createMemoryBlocks();
    const root = await blocks.add([{ path: "a", content: BYTES }], {
      ...SMALL,
      wrapWithDirectory: false,
    });
    const [node, leaves] = await twoLevels(blocks, root);
    blocks.only = [leaves[0]!];

    const stream = readFile(blocks, root, node);
    assert.equal((await stream.next()).value, BYTES.subarray(0, CHUNK));
    await quiet();
    assert.ok(blocks.underway.size > 0);
    await stream.return(undefined);
    await quiet();
    assert.is(blocks.underway.size, 0);

    const left = new AbortController();
    const reason = new Error("the reader gave up");
    const waiting = readFile(blocks, root, node, { start: 16, end: 64 }, left).next();
    await quiet();
    left.abort(reason);
    await waiting.then(() => assert.unreachable(), (error) => assert.is(error, reason));
    await quiet();
    assert.is(blocks.underway.size, 0);

    const never = readFile(blocks, leaves[0]!, decodeFile(leaves[0]!, BYTES), undefined, left);
    await never.next().then(() => assert.unreachable(), (error) => assert.is(error, reason));
  });

  test("a block that nobody has comes as an error in its turn, after the bytes before it", async () => {
    const blocks = createMemoryBlocks();
    const root = await blocks.add([{ path: "a", content: BYTES }], {
      ...SMALL,
      wrapWithDirectory: false,
    });
    const [node, leaves] = await twoLevels(blocks, root);
    await blocks.store.delete(leaves[3]!);
    const got: Uint8Array[] = [];
    await refusal("NO_PROVIDERS", async () => {
      for await (const bytes of readFile(blocks, root, node)) {
        await quiet();
        got.push(bytes);
      }
    });
    assert.is(got.length, 3);
    // one who left before that never hears of it, and nor does the process
    const stream = readFile(blocks, root, node);
    await stream.next();
    await quiet();
    await stream.return(undefined);
  });
});

/** Lets everything happen that is not waiting for somebody. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 5));

/** A root and the leaves right below it. */
async function twoLevels(blocks: MemoryBlocks, root: CID) {
  const node = decodeFile(root, await blocks.get(root));
  return [node, node.parts.map(({ cid }) => cid)] as const;
}

/** A node and all below it, in the order of the bytes. */
async function preOrder(blocks: MemoryBlocks, cid: CID): Promise<string[]> {
  const all = [String(cid)];
  const { parts } = decodeFile(cid, await blocks.get(cid));
  for (const part of parts) all.push(...await preOrder(blocks, part.cid));
  return all;
}
