import { exporter } from "ipfs-unixfs-exporter";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { type Entry, open } from "../../src/content/read.ts";
import { textIn, utf8 } from "../helpers/bytes.ts";
import { refusal } from "../helpers/failure.ts";
import { createMemoryBlocks, type MemoryBlocks } from "../helpers/memory-blocks.ts";
import { suite } from "../helpers/suite.ts";

/** A codec of another system (git). */
const GIT_RAW = 0x78;

/** A page in each folder, and folders three deep. */
const SITE = ["index.html", "a/index.html", "a/b/index.html", "a/b/c/ü ñ.html"].map(named);

suite("content/read", (test) => {
  test("walks to a file and to a folder, and says what lies on the way", async () => {
    const blocks = createMemoryBlocks();
    const root = await blocks.add(SITE);
    const [a, b] = [await cidOf(blocks, root, "a"), await cidOf(blocks, root, "a/b")];

    const page = await open(blocks, root, ["a", "b", "index.html"]);
    assert.is(await textIn(page), "a/b/index.html");
    assert.is(page.kind === "file" && page.size, "a/b/index.html".length);
    assert.equal(page.above.map(String), [root, a, b].map(String));
    assert.equal(page.roots.map(String), [root, a, b, page.cid].map(String));
    assert.is(
      await textIn(await open(blocks, root, ["a", "b", "c", "ü ñ.html"])),
      "a/b/c/ü ñ.html",
    );

    const folder = await open(blocks, root, ["a"]);
    assert.equal(await names(folder), ["b", "index.html"]);
    assert.equal(folder.roots.map(String), [root, a].map(String));

    const top = await open(blocks, root);
    assert.equal(await names(top), ["a", "index.html"]);
    assert.equal([top.above, top.roots.map(String)], [[], [String(root)]]);
  });

  test("a child is opened from its folder as from the root", async () => {
    const blocks = createMemoryBlocks();
    const root = await blocks.add(SITE);
    const folder = await open(blocks, root, ["a", "b"]);
    if (folder.kind !== "directory") throw new Error(`a ${folder.kind}`);
    const [page, again] = [
      await folder.child("index.html"),
      await open(blocks, root, ["a", "b", "index.html"]),
    ];
    assert.equal([page!.above, page!.roots].map(String), [again.above, again.roots].map(String));
    assert.is(await folder.child("missing"), undefined);
  });

  test("shards on the way are above a page, and are no roots", async () => {
    const blocks = createMemoryBlocks();
    const many = Array.from({ length: 400 }, (_, i) => named(`many/${i}.html`));
    // as if a folder were too large from its first byte on
    const root = await blocks.add(many, { shardSplitThresholdBytes: 1 });
    const folder = await cidOf(blocks, root, "many");
    let deepest = 0;
    for (let i = 0; i < 400; i += 7) {
      blocks.asked.length = 0;
      const page = await open(blocks, root, ["many", `${i}.html`]);
      assert.is(await textIn(page), `many/${i}.html`);
      assert.equal(page.roots.map(String), [root, folder, page.cid].map(String));
      // every block that led here, and in this order
      assert.equal([...page.above, page.cid].map(String), blocks.asked);
      deepest = Math.max(deepest, page.above.length);
    }
    assert.ok(deepest > 2, "no page lay below a shard: the test's own mistake");
  });

  test("says what is not there, and where the path ended", async () => {
    const blocks = createMemoryBlocks();
    const link = await blocks.node({ type: "SYMLINK", data: utf8("../up") });
    const page = await cidOf(blocks, await blocks.add(SITE), "index.html");
    const links = [{ cid: link, name: "link" }, { cid: page, name: "page" }];
    const root = await blocks.node({ type: "DIRECTORY", links });
    const cases: [CID, string[], string][] = [
      [root, ["x"], 'There is no /x here: / has nothing called "x".'],
      [root, ["Page"], 'There is no /Page here: / has nothing called "Page".'],
      [root, ["x", "y"], 'There is no /x/y here: / has nothing called "x".'],
      [root, ["page", "y"], "There is no /page/y here: /page is a file, not a folder."],
      [root, ["link", "y"], "There is no /link/y here: /link is a symbolic link, not a folder."],
      [page, ["y"], "There is no /y here: / is a file, not a folder."],
    ];
    for (const [cid, path, sentence] of cases) {
      const error = await refusal("NOT_FOUND", () => open(blocks, cid, path));
      assert.is(error.message, sentence);
      assert.match(error.hint!, "spelling");
    }
  });

  test("a symbolic link is shown, not followed", async () => {
    const blocks = createMemoryBlocks();
    const link = await blocks.node({ type: "SYMLINK", data: utf8("/etc/passwd") });
    const root = await blocks.node({ type: "DIRECTORY", links: [{ cid: link, name: "a" }] });
    const entry = await open(blocks, root, ["a"]);
    assert.is(entry.kind === "symlink" && entry.target, "/etc/passwd");
    assert.equal(entry.roots.map(String), [root, link].map(String));
  });

  test("says of content that is no file and no folder what it is", async () => {
    const blocks = createMemoryBlocks();
    const git = await blocks.put(GIT_RAW, utf8("blob 0"));
    const root = await blocks.node({ type: "DIRECTORY", links: [{ cid: git, name: "data" }] });
    for (const path of [[root, "data"], [git]] as [CID, ...string[]][]) {
      const [cid, ...rest] = path;
      const { message, hint } = await refusal("UNSUPPORTED", () => open(blocks, cid, rest));
      assert.match(message, "codec 0x78");
      assert.match(hint!, "UnixFS");
    }
    assert.equal(await names(await open(blocks, root)), ["data"]);
  });

  test("a block that nobody has, and a reader who leaves", async () => {
    const blocks = createMemoryBlocks();
    const root = await blocks.add(SITE);
    const a = await cidOf(blocks, root, "a");
    blocks.only = [root];
    const left = new AbortController();
    const waiting = open(blocks, root, ["a", "index.html"], left);
    left.abort(new Error("the reader left"));
    await waiting.then(() => assert.unreachable(), (e) => assert.is(e, left.signal.reason));
    blocks.only = undefined;
    await blocks.store.delete(a);
    await refusal("NO_PROVIDERS", () => open(blocks, root, ["a", "index.html"]));
  });
});

function named(path: string) {
  return { path, content: utf8(path) };
}

/** Where a path leads, as another implementation finds it. */
async function cidOf(blocks: MemoryBlocks, root: CID, path: string): Promise<CID> {
  return (await exporter(`${root}/${path}`, blocks.store)).cid;
}

async function names(entry: Entry): Promise<string[]> {
  if (entry.kind !== "directory") throw new Error(`a ${entry.kind}`);
  const all: string[] = [];
  for await (const { name } of entry.entries()) all.push(name);
  return all;
}
