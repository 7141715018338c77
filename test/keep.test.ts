/** A whole site, kept: everything below an address is here, pinned, and given to others. */
import * as assert from "uvu/assert";
import { everything, walk } from "../src/content/dag.ts";
import { addFolder } from "../src/content/write.ts";
import type { KeepProgress } from "../src/content/whole.ts";
import { createSeeder } from "../src/seeder.ts";
import { concat, readText } from "./helpers/bytes.ts";
import { failure } from "./helpers/failure.ts";
import { createFolder, type Files } from "./helpers/folder.ts";
import { createLoopbackNode } from "./helpers/loopback-node.ts";
import { createRandom } from "./helpers/random.ts";
import { suite } from "./helpers/suite.ts";
import { until } from "./helpers/until.ts";

const KIB = 1024;

/** A site of some folders, one file of many blocks, and one file twice. */
const SITE: Files = {
  "index.html": "<h1>Home</h1>",
  "copy.html": "<h1>Home</h1>",
  "films/one.bin": createRandom(1).bytes(700 * KIB),
  "films/notes/read.me": "About the film.",
  ...Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [`pages/${i}.html`, `<h1>Page ${i}</h1>`]),
  ),
};

suite("keep", (test) => {
  test("a site is fetched from two peers, pinned, and read without them", async () => {
    await using site = await createFolder(SITE);
    await using one = await createLoopbackNode();
    await using two = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    const { key, cid } = await createSeeder(one).publish(site.path, {
      name: "x.example.org",
      chunk: 64 * KIB,
    });
    await addFolder(two.helia.blockstore, site.path, { chunk: 64 * KIB });
    await reader.meet(one);
    await reader.meet(two);

    const told: KeepProgress[] = [];
    const whole = await reader.keep(`/ipns/${key}`, { onProgress: (event) => told.push(event) });
    assert.equal(reader.visits().map(({ address }) => address), [`/ipns/${key}`]);
    await one.stop();
    await two.stop();

    for (const [path, content] of Object.entries(SITE)) {
      const { entry } = await reader.open(`/ipns/${key}/${path}`, { local: true });
      const expected = typeof content === "string" ? new TextEncoder().encode(content) : content;
      assert.equal(entry.kind === "file" && await concat(entry.bytes()), expected, path);
    }
    assert.is(String(whole.cid), String(cid));
    assert.ok(await reader.helia.pins.isPinned(cid), "the root is not pinned");

    const blocks = told.filter((event) => event.type === "content:keep:block");
    const last = blocks.at(-1)!;
    assert.is(told.at(-1)!.type, "content:keep:pin");
    assert.equal(blocks.map(({ blocks }) => blocks), blocks.map((_, i) => i + 1));
    assert.is(blocks.length, whole.blocks);
    assert.is(last.bytes, whole.bytes);
    assert.is(last.fetched, whole.bytes);
    assert.is(last.peers, 2);
    // what is in it twice is told twice, and fetched once
    assert.is(last.totalBytes! - whole.bytes, "<h1>Home</h1>".length);
  });

  test("what is here already is not fetched again, and is told apart", async () => {
    await using site = await createFolder(SITE);
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    const { cid } = await addFolder(seeder.helia.blockstore, site.path);
    await reader.meet(seeder);
    await readText(reader, `/ipfs/${cid}/films/one.bin`);
    const film = (SITE["films/one.bin"] as Uint8Array).byteLength;
    const whole = await reader.keep(`/ipfs/${cid}`);
    assert.ok(whole.bytes - whole.fetched >= film, "the film was fetched twice");
    assert.ok(whole.fetched > 0);
    assert.is((await reader.keep(`/ipfs/${cid}`)).fetched, 0);
  });

  test("what ends in the middle goes on where it was", async () => {
    await using site = await createFolder(SITE);
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    const { cid } = await addFolder(seeder.helia.blockstore, site.path, { chunk: 16 * KIB });
    await reader.meet(seeder);
    const gone = new AbortController();
    const why = new Error("Ctrl-C");
    const half = reader.keep(`/ipfs/${cid}`, {
      signal: gone.signal,
      onProgress: (event) => void (event.blocks === 40 && gone.abort(why)),
    });
    assert.is(await half.catch((error) => error), why);
    assert.not.ok(await reader.helia.pins.isPinned(cid));
    const whole = await reader.keep(`/ipfs/${cid}`);
    assert.ok(whole.bytes - whole.fetched > 0, "it began anew");
    assert.ok(await reader.helia.pins.isPinned(cid));
  });

  test("a part that nobody has is told, and a stop ends it", async () => {
    await using site = await createFolder(SITE);
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode({ timeout: 500 });
    await using publisher = await createLoopbackNode();
    const { cid } = await addFolder(publisher.helia.blockstore, site.path);
    const { entry } = await publisher.open(`/ipfs/${cid}/pages/7.html`);
    for await (const { cid: at, block } of walk(publisher.blocks, [everything(cid)])) {
      if (!at.equals(entry.cid)) await seeder.helia.blockstore.put(at, block);
    }
    await reader.meet(seeder);
    const error = await failure(reader.keep(`/ipfs/${cid}`));
    assert.is(error.code, "NO_PROVIDERS");
    assert.match(error.message, String(entry.cid));
    const keeping = failure(reader.keep(`/ipfs/${cid}`));
    await until("it waits", () => reader.peers.length > 0);
    await reader.stop();
    assert.is((await keeping).code, "STOPPED");
  });
}, 15_000);
