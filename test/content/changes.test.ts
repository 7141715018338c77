/** What is new in a version, file by file. */
import * as assert from "uvu/assert";
import { type Changes, changesBetween } from "../../src/content/changes.ts";
import { addFolder } from "../../src/content/write.ts";
import { createFolder, type Files } from "../helpers/folder.ts";
import { createMemoryBlocks } from "../helpers/memory-blocks.ts";
import { counted } from "../helpers/pin-home.ts";
import { suite } from "../helpers/suite.ts";

async function changes(before: Files, after: Files): Promise<Changes & { asked: string[] }> {
  const memory = createMemoryBlocks();
  const roots = [];
  for (const files of [before, after]) {
    await using folder = await createFolder(files);
    roots.push((await addFolder(memory.store, folder.path)).cid);
  }
  const { blocks, asked } = counted(memory);
  return { ...await changesBetween(blocks, roots[0]!, roots[1]!), asked };
}

suite("content/changes", (test) => {
  test("files that are new, changed or gone are told by path, folders by what is in them", async () => {
    const { added, changed, removed } = await changes({
      "index.html": "one",
      "same.html": "same",
      "docs/a.html": "a",
      "docs/b.html": "b",
      "old/deep/c.html": "c",
      "turns": "a file",
      "turned/d.html": "a folder",
    }, {
      "index.html": "two",
      "same.html": "same",
      "docs/a.html": "a, again",
      "docs/e.html": "e",
      "new/deep/f.html": "f",
      "turns/g.html": "a folder",
      "turned": "a file",
    });
    assert.equal(changed, ["docs/a.html", "index.html"]);
    assert.equal(added, ["docs/e.html", "new/deep/f.html", "turned", "turns/g.html"]);
    assert.equal(removed, ["docs/b.html", "old/deep/c.html", "turned/d.html", "turns"]);
  });

  test("what is the same in both is not read; of a large folder every name is found", async () => {
    const rest = { "docs/a.html": "a", "docs/en/b.html": "b" };
    const small = await changes({ ...rest, "x": "1" }, { ...rest, "x": "2" });
    assert.equal([small.changed, small.asked.length], [["x"], 2]);

    // Names so long that 256 KiB are full of a thousand of them: a sharded folder.
    const name = (n: number) => `many/${String(n).padStart(250, "0")}`;
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, n) => [name(n), `${n}`]));
    const { [name(7)]: _, ...fewer } = many;
    const large = await changes(many, { ...fewer, [name(8)]: "changed", [name(2_000)]: "new" });
    assert.equal(
      [large.added, large.changed, large.removed],
      [[name(2_000)], [name(8)], [name(7)]],
    );
  });
});
