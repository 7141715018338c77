/** A node as a program that imports it sees it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createNode, createSeeder, type NodeOptions } from "../mod.ts";
import { readText, textIn } from "./helpers/bytes.ts";
import { refusal } from "./helpers/failure.ts";
import { createFolder } from "./helpers/folder.ts";
import { takePort } from "./helpers/port.ts";
import { HELLO, NOWHERE } from "./helpers/program.ts";
import { suite } from "./helpers/suite.ts";
import { until } from "./helpers/until.ts";

const ALONE: NodeOptions = { listen: ["/ip4/127.0.0.1/tcp/0"], mdns: false };

suite("node", (test) => {
  test("a failed start leaves nothing behind: no lock, no listener", async () => {
    await using dir = await createFolder();
    const taken = await takePort();
    const listen = ["/ip4/127.0.0.1/tcp/0", `/ip4/127.0.0.1/tcp/${taken.port}`];
    await refusal("PORT_IN_USE", () => createNode({ ...ALONE, dir: dir.path, listen }));
    await taken[Symbol.asyncDispose]();
    await using _node = await createNode({ ...ALONE, dir: dir.path });
    await refusal("DIR_LOCKED", () => createNode({ ...ALONE, dir: dir.path }));
  });

  test("a start can be given up", async () => {
    await using dir = await createFolder();
    const stop = new AbortController();
    const start = createNode({ ...ALONE, dir: dir.path, signal: stop.signal });
    const reason = new Error("no more");
    stop.abort(reason);
    assert.is(await start.catch((error) => error), reason);
    await using _node = await createNode({ ...ALONE, dir: dir.path });
  });

  test("stop() twice at once; what is being read ends, and nothing can be opened", async () => {
    await using dir = await createFolder();
    const node = await createNode({ ...ALONE, dir: dir.path });
    const reading = refusal("STOPPED", () => node.open(NOWHERE));
    let freed = false;
    const first = node.stop().then(() => freed = true);
    await node.stop();
    assert.ok(freed, "the second call came back before the folder was free");
    await Promise.all([first, reading]);
    await refusal("STOPPED", () => node.open(HELLO));
    assert.throws(() => node.visits(), /stopped/);
    const again = await createNode({ ...ALONE, dir: dir.path });
    assert.is(again.id, node.id);
    await again.stop();
  });

  test("open: a file, a folder, its index, a link, and what is not there", async () => {
    await using dir = await createFolder();
    await using site = await createFolder();
    await writeFile(join(site.path, "index.html"), "the index");
    await writeFile(join(site.path, "ä b.txt"), "umlaut");
    await using node = await createNode({ ...ALONE, dir: dir.path });
    const { cid, key } = await createSeeder(node).publish(site.path, { name: "x.example.org" });

    const folder = await node.open(`/ipns/${key}`);
    assert.is(folder.entry.kind, "directory");
    assert.equal(folder.resolved.chain, [`/ipns/${key}`, `/ipfs/${cid}`]);
    const index = await node.open(`/ipns/${key}`, { index: true });
    assert.is(await textIn(index.entry), "the index");
    assert.equal(index.resolved.chain, [`/ipns/${key}/index.html`, `/ipfs/${cid}/index.html`]);
    assert.equal(index.resolved.path, ["index.html"]);
    const file = await node.open({ namespace: "ipfs", root: String(cid), path: ["ä b.txt"] });
    assert.is(await textIn(file.entry), "umlaut");
    await refusal("NOT_FOUND", () => node.open(`/ipfs/${cid}/nope`));
    await refusal("BAD_ADDRESS", () => node.open("/ipfs/xyz"));

    await until("the visits", () => node.visits().length === 2);
    assert.equal(node.visits().map(({ address }) => address).sort(), [
      `/ipfs/${cid}/%C3%A4%20b.txt`,
      `/ipns/${key}/index.html`,
    ]);
  });

  test("timeout: how long neighbours are asked; memory: 0 keeps no block there", async () => {
    await using dir = await createFolder();
    await using node = await createNode({ ...ALONE, dir: dir.path, timeout: 200, memory: 0 });
    const began = Date.now();
    await refusal("NO_PROVIDERS", () => node.open(NOWHERE));
    assert.ok(Date.now() - began < 2_000);
    await using site = await createFolder();
    await writeFile(join(site.path, "a.txt"), "a");
    const { cid } = await createSeeder(node).publish(site.path, { name: "x.example.org" });
    assert.is(await readText(node, `/ipfs/${cid}/a.txt`), "a");
  });

  test("a site that contains the node's folder is not published: its keys are there", async () => {
    await using dir = await createFolder();
    const own = join(dir.path, "data");
    await using node = await createNode({ ...ALONE, dir: own });
    const publish = (hidden: boolean, from: string) =>
      createSeeder(node).publish(from, { name: "x.example.org", hidden });
    await refusal("BAD_SITE", () => publish(false, dir.path));
    await refusal("BAD_SITE", () => publish(true, own));
  });
});
