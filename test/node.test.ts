/** A node as a program that imports it sees it. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createNode, createSeeder, type Entry, NethoodError, type NodeOptions } from "../mod.ts";
import { eventually, HELLO, NOWHERE, tempDir } from "./helpers/program.ts";
import { suite } from "./helpers/suite.ts";

const ALONE: NodeOptions = { listen: ["/ip4/127.0.0.1/tcp/0"], mdns: false };

suite("node", (test) => {
  test("a failed start leaves nothing behind: no lock, no listener", async () => {
    await using dir = await tempDir();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const listen = ["/ip4/127.0.0.1/tcp/0", `/ip4/127.0.0.1/tcp/${port}`];
    await refuses(createNode({ ...ALONE, dir: dir.path, listen }), "PORT_IN_USE");
    await new Promise((resolve) => taken.close(resolve));
    await using _node = await createNode({ ...ALONE, dir: dir.path });
    await refuses(createNode({ ...ALONE, dir: dir.path }), "DIR_LOCKED");
  });

  test("a start can be given up", async () => {
    await using dir = await tempDir();
    const stop = new AbortController();
    const start = createNode({ ...ALONE, dir: dir.path, signal: stop.signal });
    const reason = new Error("no more");
    stop.abort(reason);
    assert.is(await start.catch((error) => error), reason);
    await using _node = await createNode({ ...ALONE, dir: dir.path });
  });

  test("stop() twice at once; what is being read ends, and nothing can be opened", async () => {
    await using dir = await tempDir();
    const node = await createNode({ ...ALONE, dir: dir.path });
    const reading = refuses(node.open(NOWHERE), "STOPPED");
    let freed = false;
    const first = node.stop().then(() => freed = true);
    await node.stop();
    assert.ok(freed, "the second call came back before the folder was free");
    await Promise.all([first, reading]);
    await refuses(node.open(HELLO), "STOPPED");
    assert.throws(() => node.visits(), /stopped/);
    const again = await createNode({ ...ALONE, dir: dir.path });
    assert.is(again.id, node.id);
    await again.stop();
  });

  test("open: a file, a folder, its index, a link, and what is not there", async () => {
    await using dir = await tempDir();
    await using site = await tempDir();
    await writeFile(join(site.path, "index.html"), "the index");
    await writeFile(join(site.path, "ä b.txt"), "umlaut");
    await using node = await createNode({ ...ALONE, dir: dir.path });
    const { cid, key } = await createSeeder(node).publish(site.path, { name: "x.example.org" });

    const folder = await node.open(`/ipns/${key}`);
    assert.is(folder.entry.kind, "directory");
    assert.equal(folder.resolved.chain, [`/ipns/${key}`, `/ipfs/${cid}`]);
    const index = await node.open(`/ipns/${key}`, { index: true });
    assert.is(await read(index.entry), "the index");
    assert.equal(index.resolved.chain, [`/ipns/${key}/index.html`, `/ipfs/${cid}/index.html`]);
    assert.equal(index.resolved.path, ["index.html"]);
    const file = await node.open({ namespace: "ipfs", root: String(cid), path: ["ä b.txt"] });
    assert.is(await read(file.entry), "umlaut");
    await refuses(node.open(`/ipfs/${cid}/nope`), "NOT_FOUND");
    await refuses(node.open("/ipfs/xyz"), "BAD_ADDRESS");

    await eventually("the visits", () => node.visits().length === 2);
    assert.equal(node.visits().map(({ address }) => address).sort(), [
      `/ipfs/${cid}/%C3%A4%20b.txt`,
      `/ipns/${key}/index.html`,
    ]);
  });

  test("timeout: how long neighbours are asked; memory: 0 keeps no block there", async () => {
    await using dir = await tempDir();
    await using node = await createNode({ ...ALONE, dir: dir.path, timeout: 200, memory: 0 });
    const began = Date.now();
    await refuses(node.open(NOWHERE), "NO_PROVIDERS");
    assert.ok(Date.now() - began < 2_000);
    await using site = await tempDir();
    await writeFile(join(site.path, "a.txt"), "a");
    const { cid } = await createSeeder(node).publish(site.path, { name: "x.example.org" });
    assert.is(await read((await node.open(`/ipfs/${cid}/a.txt`)).entry), "a");
  });

  test("a site that contains the node's folder is not published: its keys are there", async () => {
    await using dir = await tempDir();
    const own = join(dir.path, "data");
    await using node = await createNode({ ...ALONE, dir: own });
    const publish = (hidden: boolean, from: string) =>
      createSeeder(node).publish(from, { name: "x.example.org", hidden });
    await refuses(publish(false, dir.path), "BAD_SITE");
    await refuses(publish(true, own), "BAD_SITE");
  });
});

async function refuses(work: Promise<unknown>, code: string): Promise<void> {
  const error = await work.then(() => undefined, (error) => error);
  assert.instance(error, NethoodError, `${error?.stack}`);
  assert.is(error.code, code, error.message);
}

async function read(entry: Entry): Promise<string> {
  if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
  let text = "";
  for await (const bytes of entry.bytes()) text += new TextDecoder().decode(bytes);
  return text;
}
