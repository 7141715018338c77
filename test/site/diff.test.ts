/** What differs between two trees. */
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { type Change, countChanges, diff } from "../../src/site/diff.ts";
import { refusal } from "../helpers/failure.ts";
import { createMemoryBlocks, type MemoryBlocks, RAW } from "../helpers/memory-blocks.ts";
import { suite } from "../helpers/suite.ts";

const utf8 = (words: string) => new TextEncoder().encode(words);

function add(blocks: MemoryBlocks, files: Record<string, string>): Promise<CID> {
  return blocks.add(
    Object.entries(files).map(([path, words]) => ({ path, content: utf8(words) })),
  );
}

/** `+ path`, `~ path` and `- path`, sorted. */
async function changes(blocks: MemoryBlocks, from: CID, to: CID): Promise<string[]> {
  const lines: string[] = [];
  for await (const { kind, path } of diff(blocks, from, to)) {
    lines.push(`${{ added: "+", changed: "~", removed: "-" }[kind]} ${path}`);
  }
  return lines.sort();
}

const page = (i: number) => `page-number-${i}-${"x".repeat(150)}.html`;

/** Names enough for a sharded folder. */
function many(words: Record<string, string> = {}): Record<string, string> {
  const files = Array.from({ length: 1_500 }, (_, i) => [`pages/${page(i)}`, "same"]);
  return { ...Object.fromEntries(files), "a.txt": "a", ...words };
}

suite("site/diff", (test) => {
  test("files added, changed and removed, in folders of any depth", async () => {
    const blocks = createMemoryBlocks();
    const same = { "a/same.txt": "same", "b/c/same.txt": "same", "index.html": "same" };
    const from = await add(blocks, { ...same, "a/old.txt": "1", "b/c/page": "1", "gone/x/y": "1" });
    const to = await add(blocks, { ...same, "a/new.txt": "1", "b/c/page": "2", "come/x": "1" });
    const expected = ["+ a/new.txt", "+ come/x", "- a/old.txt", "- gone/x/y", "~ b/c/page"];
    assert.equal(await changes(blocks, from, to), expected);
    assert.equal(await countChanges(blocks, from, to), { added: 2, changed: 1, removed: 2 });
    assert.equal(await changes(blocks, from, from), []);

    const all: Change[] = [];
    for await (const change of diff(blocks, from, to)) all.push(change);
    const page = all.find(({ path }) => path === "b/c/page")!;
    assert.ok(page.kind === "changed" && page.size === 1 && !page.from.equals(page.to));
  });

  test("a file that becomes a folder, and a folder that becomes a file", async () => {
    const blocks = createMemoryBlocks();
    const from = await add(blocks, { "x": "1", "y/1": "1", "y/2": "2" });
    const to = await add(blocks, { "x/a": "1", "x/b": "2", "y": "1" });
    const expected = ["+ x/a", "+ x/b", "+ y", "- x", "- y/1", "- y/2"];
    assert.equal(await changes(blocks, from, to), expected);
  });

  test("what is the same in both is not read, and files are not read at all", async () => {
    const blocks = createMemoryBlocks();
    const same = { "deep/one/two/three/page": "same", "deep/one/page": "same" };
    const from = await add(blocks, { ...same, "a/page": "1" });
    const to = await add(blocks, { ...same, "a/page": "2" });
    blocks.asked.length = 0;
    assert.equal(await changes(blocks, from, to), ["~ a/page"]);
    assert.is(blocks.asked.length, 4, "two roots, and the folder a of each");
    blocks.asked.length = 0;
    assert.equal(await changes(blocks, to, to), []);
    assert.is(blocks.asked.length, 0);
  });

  test("sharded folders: only the shards that differ are read", async () => {
    const blocks = createMemoryBlocks();
    const from = await add(blocks, many());
    const files = many({ [`pages/${page(7)}`]: "new", "pages/one-more.html": "1" });
    delete files[`pages/${page(9)}`];
    const to = await add(blocks, files);
    blocks.asked.length = 0;
    const expected = [
      "+ pages/one-more.html",
      `- pages/${page(9)}`,
      `~ pages/${page(7)}`,
    ];
    assert.equal(await changes(blocks, from, to), expected);
    assert.ok(blocks.asked.length <= 12, `${blocks.asked.length} blocks were read`);
  });

  test("a slot that is divided in one of them only, and a folder that is sharded in one of them only", async () => {
    const blocks = createMemoryBlocks();
    const [some, all] = [300, 1_500].map((count) =>
      Object.fromEntries(Object.entries(many()).slice(0, count))
    );
    const [from, to] = [await add(blocks, some!), await add(blocks, all!)];
    assert.equal(await countChanges(blocks, from, to), { added: 1_200, changed: 0, removed: 0 });
    assert.equal(await countChanges(blocks, to, from), { added: 0, changed: 0, removed: 1_200 });
    // where one of two names in a slot is taken away, the slot loses its shard
    const fewer = many();
    for (let i = 0; i < 1_500; i += 8) delete fewer[`pages/${page(i)}`];
    const [more, less] = [await add(blocks, many()), await add(blocks, fewer)];
    assert.equal(await countChanges(blocks, more, less), { added: 0, changed: 0, removed: 188 });
    assert.equal(await countChanges(blocks, less, more), { added: 188, changed: 0, removed: 0 });
  });

  test("a folder that holds itself many times over has an end", async () => {
    const blocks = createMemoryBlocks();
    let cid = await blocks.put(RAW, utf8("x"));
    for (let level = 0; level < 40; level++) {
      const links = ["a", "b"].map((name) => ({ cid, name }));
      cid = await blocks.node({ type: "DIRECTORY", links });
    }
    const error = await refusal("UNSUPPORTED", async () => {
      await countChanges(blocks, await add(blocks, { x: "1" }), cid);
    });
    assert.match(error.message, "More than");
  });
});
