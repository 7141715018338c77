/** What a node keeps of what it opened. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createNode, createSeeder, type Entry, type Node, type NodeOptions } from "../mod.ts";
import { createDisk, mountAvailable } from "./helpers/disk.ts";
import { createFolder } from "./helpers/folder.ts";
import { suite } from "./helpers/suite.ts";
import { until } from "./helpers/until.ts";

const ALONE: NodeOptions = { listen: ["/ip4/127.0.0.1/tcp/0"], mdns: false };
const MIB = 1024 * 1024;

suite("keeper", (test, left) => {
  test("read to its end it is pinned under its address, half-read it is not", async () => {
    await using story = await twoNodes();
    const { seeder, reader, site } = story;
    await writeFile(join(site, "whole.bin"), new Uint8Array(3 * MIB).fill(1));
    await writeFile(join(site, "half.bin"), new Uint8Array(3 * MIB).fill(2));
    const { key } = await createSeeder(seeder).publish(site, { name: "x.example.org" });
    const whole = `/ipns/${key}/whole.bin`;

    for await (const _ of await bytes(reader, `/ipns/${key}/half.bin`)) break;
    for await (const _ of await bytes(reader, whole, { start: 0, end: 10 }));
    assert.is(await read(reader, whole), 3 * MIB);
    await until("the visit", () => reader.visits().length > 0);

    const [visit, ...others] = reader.visits();
    assert.equal([visit!.address, visit!.size, others], [whole, 3 * MIB, []]);
    const pins = await pinned(reader);
    // the file with its three pieces (all the same), and the folder on the way to it
    assert.is(pins.get(visit!.cid), whole);
    assert.equal([...new Set(pins.values())], [whole]);

    // and it is there for others, after a restart, without the one it came from
    await seeder.stop();
    const again = await story.restart();
    assert.equal(again.visits(), [visit]);
    assert.is(await read(again, `/ipfs/${visit!.cid}`), 3 * MIB);
  });

  test("a new version at the same address: the visit is the new one, and both are kept", async () => {
    await using story = await twoNodes();
    const { seeder, reader, site } = story;
    const publish = async (text: string) => {
      await writeFile(join(site, "page"), text);
      return (await createSeeder(seeder).publish(site, { name: "x.example.org" })).cid;
    };
    const visitOf = (cid: unknown) => `/ipfs/${cid}/page`;
    const [one, two] = [await publish("one"), await publish("version two")];
    // immutable addresses stand for the versions; the keeper is told one address for both
    const { createKeeper } = await import("../src/keeper.ts");
    const { Records } = await import("../src/store/records.ts");
    const { createShares } = await import("../src/store/shares.ts");
    const records = new Records(join(site, "..", "records"));
    const told: string[] = [];
    const log = (line: string) => told.push(line);
    const { helia, blocks } = reader;
    const store = { seems: () => true, watch: () => () => undefined };
    const shares = createShares(records);
    const keeper = createKeeper({ helia, blocks, store, peers: () => 0, records, shares, log });
    const from = { chain: ["/ipns/x.example.org/page"], path: ["page"] };
    for (const cid of [one, two]) {
      const { entry } = await reader.open(visitOf(cid));
      for await (const _ of file(keeper.watch(entry, from)).bytes());
    }
    await keeper.stop();
    assert.equal(keeper.visits().map(({ size }) => size), ["version two".length]);
    assert.equal(shares.held("x.example.org"), { seeds: [], reads: ["/ipns/x.example.org"] });
    records.close();
    assert.equal(told, []);
    for (const cid of [one, two]) {
      const { entry } = await reader.open(visitOf(cid));
      assert.ok(await reader.helia.pins.isPinned(entry.cid), "a version was let go");
    }
  });

  test("where nothing can be noted for others a file is read all the same, and that is told", async () => {
    await using story = await twoNodes();
    const { seeder, reader, site } = story;
    await writeFile(join(site, "page"), "one");
    const { cid } = await createSeeder(seeder).publish(site, { name: "x.example.org" });
    const { createKeeper } = await import("../src/keeper.ts");
    const { Records } = await import("../src/store/records.ts");
    const records = new Records(join(site, "..", "records"));
    const told: string[] = [];
    const full = () => {
      throw new Error("The disk is full.");
    };
    const keeper = createKeeper({
      ...{ helia: reader.helia, blocks: reader.blocks, records, peers: () => 0 },
      store: { seems: () => true },
      shares: { note: full },
      log: (line) => told.push(line),
    });
    const from = { chain: ["/ipns/x.example.org/page"], path: ["page"] };
    const { entry } = await reader.open(`/ipfs/${cid}/page`);
    let size = 0;
    for await (const piece of file(keeper.watch(entry, from)).bytes()) size += piece.byteLength;
    await keeper.stop();
    records.close();
    assert.is(size, 3);
    assert.match(told[0]!, /page is read but could not be offered: The disk is full\./);
  });

  test("stop() right after the last byte loses nothing", async () => {
    await using story = await twoNodes();
    const { seeder, reader, site } = story;
    await writeFile(join(site, "page"), "the last thing read");
    const { cid } = await createSeeder(seeder).publish(site, { name: "x.example.org" });
    await read(reader, `/ipfs/${cid}/page`);
    const again = await story.restart();
    assert.equal(again.visits().map(({ address }) => address), [`/ipfs/${cid}/page`]);
    assert.is((await pinned(again)).get(again.visits()[0]!.cid), `/ipfs/${cid}/page`);
    assert.equal(story.told, []);
  });

  const full = "a disk that fills up while it keeps: told, and the reader has every byte";
  const why = mountAvailable();
  if (why) return left(full, why);
  test(full, async () => {
    await using disk = await createDisk("8m");
    await using story = await twoNodes(join(disk.path, "reader"));
    const { seeder, reader, site } = story;
    await writeFile(join(site, "page"), "x".repeat(1000));
    const { cid } = await createSeeder(seeder).publish(site, { name: "x.example.org" });
    const page = await bytes(reader, `/ipfs/${cid}/page`);
    const first = await page.next();
    await fill(join(disk.path, "filler"));
    assert.is(first.value!.byteLength, 1000);
    assert.is((await page.next()).done, true);
    const kept = /^\/ipfs\/.*\/page was read but could not be kept: .*full/;
    await until("a word about it", () => story.told.some((line) => kept.test(line)));
    assert.equal(reader.visits(), []);
    await reader.stop(); // which is no failure, either
  });
});

/** A seeder, and a reader that knows it. */
async function twoNodes(readerDir?: string) {
  const dir = await createFolder();
  const site = join(dir.path, "site");
  await mkdir(site);
  const told: string[] = [];
  const seeder = await createNode({ ...ALONE, dir: join(dir.path, "seeder") });
  const start = () =>
    createNode({
      ...ALONE,
      dir: readerDir ?? join(dir.path, "reader"),
      peers: seeder.addresses,
      log: (line) => told.push(line),
    });
  let reader = await start();
  await until("a connection", () => reader.peers.length > 0);
  return {
    seeder,
    reader,
    site,
    told,
    async restart(): Promise<Node> {
      await reader.stop();
      return reader = await start();
    },
    async [Symbol.asyncDispose]() {
      await reader.stop();
      await seeder.stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function file(entry: Entry): Extract<Entry, { kind: "file" }> {
  if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
  return entry;
}

async function bytes(node: Node, address: string, range?: { start: number; end: number }) {
  return file((await node.open(address)).entry).bytes(range);
}

/** Reads to the end; the number of bytes. */
async function read(node: Node, address: string): Promise<number> {
  let size = 0;
  for await (const chunk of await bytes(node, address)) size += chunk.byteLength;
  return size;
}

/** What is pinned, and under which address. */
async function pinned(node: Node): Promise<Map<string, unknown>> {
  const pins = new Map<string, unknown>();
  for await (const { cid, metadata } of node.helia.pins.ls()) {
    pins.set(cid.toString(), metadata.address);
  }
  return pins;
}

async function fill(path: string): Promise<void> {
  for (let size = MIB; size >= 1; size = Math.floor(size / 4)) {
    for (let n = 0;; n++) {
      const full = await writeFile(`${path}-${size}-${n}`, new Uint8Array(size)).catch(() => true);
      if (full === true) break;
    }
  }
}
