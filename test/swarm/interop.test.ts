/** The same blocks, spoken with others: our own kind, a stock Helia, and Kubo. */
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { unixfs } from "@helia/unixfs";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { localOnly } from "../../src/content/blocks.ts";
import { everything, walk } from "../../src/content/dag.ts";
import { open } from "../../src/content/read.ts";
import { addBytes, addFolder } from "../../src/content/write.ts";
import { readText, textIn } from "../helpers/bytes.ts";
import { createFolder, type Files } from "../helpers/folder.ts";
import { createKubo, kuboAvailable } from "../helpers/kubo.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { createStockHelia } from "../helpers/stock-helia.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

/** What is sent there, and what is sent back: two files that have nothing in common. */
const THERE = randomBytes(64 * MIB), BACK = randomBytes(64 * MIB);

/** How many files there are in a folder. */
const MANY = 1_000;

/** How long one of the four ways may take, in milliseconds. It takes a few seconds. */
const LIMIT_MS = 60_000;

suite("interop", (test, left) => {
  test("two of our nodes pass on a large file, and a folder of many", async () => {
    await using site = await createFolder(folderOf("ours"));
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    await reader.meet(seeder);
    const file = await addBytes(seeder.helia.blockstore, [THERE]);
    assert.is(await hashAt(reader, file), hashOf(THERE));
    const { cid } = await addFolder(seeder.helia.blockstore, site.path);
    await readsFolder(reader, cid, "ours");
  });

  test("a stock Helia reads from us", async () => {
    await using site = await createFolder(folderOf("ours"));
    await using node = await createLoopbackNode();
    await using helia = await createStockHelia();
    const fs = unixfs(helia);
    await node.meet({ addresses: helia.libp2p.getMultiaddrs().map(String) });
    const file = await addBytes(node.helia.blockstore, [THERE]);
    assert.is(await hash(fs.cat(file)), hashOf(THERE));

    const { cid } = await addFolder(node.helia.blockstore, site.path);
    const files: { name: string; cid: CID }[] = [];
    for await (const { name, cid: at } of fs.ls(cid)) files.push({ name, cid: at });
    assert.is(files.length, MANY);
    // Many at once: it waits 10 ms before it asks for anything.
    await Promise.all(
      files.map(async ({ name, cid }) =>
        assert.is(await hash(fs.cat(cid)), hashOf(`ours: ${name}`))
      ),
    );
    assert.equal(node.told, []);
  });

  test("we read from a stock Helia", async () => {
    await using node = await createLoopbackNode();
    await using helia = await createStockHelia();
    await node.meet({ addresses: helia.libp2p.getMultiaddrs().map(String) });
    const file = await unixfs(helia).addBytes(BACK);
    assert.is(await hashAt(node, file), hashOf(BACK));

    let root: CID | undefined;
    const all = Object.entries(folderOf("theirs")).map(([path, content]) => ({
      path,
      content: new TextEncoder().encode(content as string),
    }));
    for await (const { cid } of unixfs(helia).addAll(all, { wrapWithDirectory: true })) root = cid;
    await readsFolder(node, root!, "theirs");
    assert.equal(node.told, []);
  });

  const [there, back, both] = [
    "Kubo reads from us",
    "we read from Kubo",
    "one of ours and Kubo give what the other does not have",
  ];
  const missing = kuboAvailable();
  if (missing !== undefined) return [there, back, both].forEach((title) => left(title, missing));

  test(there, async () => {
    await using site = await createFolder(folderOf("ours"));
    await using node = await createLoopbackNode();
    await using repo = await createFolder();
    await using kubo = await createKubo({ dir: join(repo.path, "repo") });
    await kubo.ipfs(["swarm", "connect", node.address]);
    const file = await addBytes(node.helia.blockstore, [THERE]);
    const got = join(repo.path, "got");
    await kubo.ipfs(["get", `/ipfs/${file}`, "-o", got]);
    assert.is(await hash(createReadStream(got)), hashOf(THERE));

    const { cid } = await addFolder(node.helia.blockstore, site.path);
    const folder = join(repo.path, "folder");
    await kubo.ipfs(["pin", "add", `/ipfs/${cid}`]); // many at once; `get` goes one by one
    await kubo.ipfs(["get", `/ipfs/${cid}`, "-o", folder]);
    const names = await readdir(folder);
    assert.is(names.length, MANY);
    for (const name of names) {
      assert.is(await readFile(join(folder, name), "utf8"), `ours: ${name}`);
    }
    assert.equal(node.told, []);
  });

  test(back, async () => {
    await using site = await createFolder({ "back.bin": BACK });
    await using many = await createFolder(folderOf("theirs"));
    await using node = await createLoopbackNode();
    await using repo = await createFolder();
    await using kubo = await createKubo({ dir: repo.path });
    await kubo.ipfs(["swarm", "connect", node.address]);
    const add = async (path: string) =>
      (await kubo.ipfs(["add", "-r", "-Q", "--cid-version=1", path])).trim();
    assert.is(await hashAt(node, await add(join(site.path, "back.bin"))), hashOf(BACK));
    await readsFolder(node, await add(many.path), "theirs");
    assert.equal(node.told, []);
  });

  test(both, async () => {
    await using site = await createFolder({ "a.txt": "from Kubo", "b.txt": "from ours" });
    await using ours = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    await using repo = await createFolder();
    await using kubo = await createKubo({ dir: repo.path });
    const { cid } = await addFolder(reader.helia.blockstore, site.path);
    const parts = [];
    for await (const { cid: at, block } of walk(reader.blocks, [everything(cid)])) {
      parts.push({ at, block });
    }
    await using other = await createLoopbackNode();
    // The folder and one file with ours, the other file with Kubo.
    for (const { at, block } of parts.slice(0, 1)) await ours.helia.blockstore.put(at, block);
    await ours.helia.blockstore.put(parts[2]!.at, parts[2]!.block);
    await kubo.ipfs(["add", "-Q", "--cid-version=1", join(site.path, "a.txt")]);
    await other.meet(ours);
    await kubo.ipfs(["swarm", "connect", other.address]);
    const began = Date.now();
    assert.is(await readText(other, `/ipfs/${cid}/a.txt`), "from Kubo");
    assert.is(await readText(other, `/ipfs/${cid}/b.txt`), "from ours");
    assert.ok(Date.now() - began < 4_000, "one was waited for before the other was asked");
  });
}, LIMIT_MS);

function folderOf(whose: string): Files {
  const names = Array.from({ length: MANY }, (_, i) => `${i}.txt`);
  return Object.fromEntries(names.map((name) => [name, `${whose}: ${name}`]));
}

/** Fetches a folder whole, and looks into each of its files. */
async function readsFolder(node: LoopbackNode, cid: CID | string, whose: string): Promise<void> {
  const { cid: root } = await node.keep(`/ipfs/${cid}`);
  const here = localOnly(node.blocks);
  for (const [name, text] of Object.entries(folderOf(whose))) {
    assert.is(await textIn(await open(here, root, [name])), text);
  }
}

async function hashAt(node: LoopbackNode, cid: CID | string): Promise<string> {
  const { entry } = await node.open(`/ipfs/${cid}`);
  if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
  return await hash(entry.bytes());
}

async function hash(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of bytes) hash.update(piece);
  return hash.digest("hex");
}

function hashOf(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
