import { exporter } from "ipfs-unixfs-exporter";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { type DirectoryNode, find, list } from "../../src/content/directory.ts";
import { decodeNode } from "../../src/content/unixfs.ts";
import { refusal } from "../helpers/failure.ts";
import {
  createMemoryBlocks,
  type MemoryBlocks,
  type Wire,
  type WireLink,
} from "../helpers/memory-blocks.ts";
import { leaf } from "../helpers/memory-files.ts";
import { suite } from "../helpers/suite.ts";

/** More names than fit into the 256 KiB that the CID profile allows a flat directory. */
const MANY = 6_000;

suite("content/directory", (test) => {
  test("a flat directory: every name as it was given, and no other", async () => {
    const blocks = createMemoryBlocks();
    const names = ["a", "A", "a.txt", "ab", "ß", "日本", "🌍", "e\u0301", "é", "%41", "a b", "00"];
    const root = await blocks.add(names.map(named));
    const node = await load(blocks, root);
    assert.is(node.kind, "directory");
    assert.equal(await listed(blocks, node), await listedByOthers(blocks, root));
    assert.equal((await listed(blocks, node)).map(([name]) => name).sort(), [...names].sort());
    for (const name of names) assert.is(await found(blocks, node, name), name);
    for (const name of ["", "b", "A.txt", "aa", "ss", "/a", "a/b", "."]) {
      assert.is(await found(blocks, node, name), undefined, name);
    }
  });

  test("a directory of thousands: listed whole, and every name found", async () => {
    const blocks = createMemoryBlocks();
    const names = Array.from({ length: MANY }, (_, i) => `page-${i}.html`);
    const root = await blocks.add([...names, "00", "FF", "é", "page"].map(named));
    const node = await load(blocks, root);
    assert.is(node.kind, "shard");
    const all = await listed(blocks, node);
    assert.equal(all, await listedByOthers(blocks, root));
    assert.is(all.length, MANY + 4);
    assert.is(new Set(all.map(([name]) => name)).size, all.length);

    const [first, last] = [all[0]![0], all.at(-1)![0]];
    const some = names.filter((_, i) => i % 97 === 0);
    for (const name of [first, last, "00", "FF", "é", "page", ...some]) {
      assert.is(await found(blocks, node, name), name);
      const { cid } = await exporter(`${root}/${name}`, blocks.store);
      assert.ok((await find(blocks, node, name))!.link.cid.equals(cid), name);
    }
    const wire = node.links.map(({ name }) => name);
    const missing = [
      "",
      "page-",
      "page-6000.html",
      "page-1.htm",
      "PAGE-1.html",
      "e\u0301",
      "0",
      "A",
    ];
    for (const name of [...missing, ...wire.slice(0, 300)]) {
      const expected = ["00", "FF"].includes(name) ? name : undefined;
      assert.is(await found(blocks, node, name), expected, name);
    }
  });

  for (const bits of [3, 4, 6, 10]) {
    test(`a fan-out of ${2 ** bits}`, async () => {
      const blocks = createMemoryBlocks();
      const names = Array.from({ length: 700 }, (_, i) => `${i}`);
      const root = await blocks.add(names.map(named), {
        shardSplitThresholdBytes: 1,
        shardFanoutBits: bits,
      });
      const node = await load(blocks, root);
      assert.is(node.kind === "shard" && node.bits, bits);
      assert.equal((await listed(blocks, node)).map(([name]) => name).sort(), names.sort());
      for (const name of names) assert.is(await found(blocks, node, name), name);
      assert.is(await found(blocks, node, "700"), undefined);
    });
  }

  test("a lookup reads the shards on its way and says which; a listing reads what is asked of it", async () => {
    const blocks = createMemoryBlocks();
    const node = await load(blocks, await blocks.add(many().map(named)));
    const deep = node.links.find(({ name }) => name.length === 2)!;
    const below = await load(blocks, deep.cid);
    const name = below.links.find(({ name }) => name.length > 2)!.name.slice(2);
    blocks.asked.length = 0;
    const hit = await find(blocks, node, name);
    assert.equal(hit!.shards.map(String), [String(deep.cid)]);
    assert.equal(blocks.asked, [String(deep.cid)]);

    blocks.asked.length = 0;
    for await (const _ of list(blocks, node)) break;
    assert.ok(blocks.asked.length <= 1);
  });

  test("of two entries of one name the first counts", async () => {
    const blocks = createMemoryBlocks();
    const [one, two] = [await leaf(blocks, "one"), await leaf(blocks, "two")];
    const links = [link("a", one), link("b", two), link("a", two)];
    const node = await load(blocks, await blocks.node({ type: "DIRECTORY", links }));
    assert.equal(await listed(blocks, node), [["a", String(one)], ["b", String(two)]]);
    assert.ok((await find(blocks, node, "a"))!.link.cid.equals(one));
  });

  test("an entry whose name holds a slash is nobody's path", async () => {
    const blocks = createMemoryBlocks();
    const links = [link("a/b", await leaf(blocks, "x")), link("", await leaf(blocks, "y"))];
    const node = await load(blocks, await blocks.node({ type: "DIRECTORY", links }));
    assert.is(await found(blocks, node, "a/b"), undefined);
    assert.is(await found(blocks, node, ""), undefined);
  });

  test("refuses a directory that cannot be one", async () => {
    const blocks = createMemoryBlocks();
    const cid = await leaf(blocks, "x");
    const wrong: [Wire, RegExp][] = [
      [{ type: "DIRECTORY", links: [{ cid }] }, /without a name/],
      [{ type: "METADATA" }, /what kind/],
      [{}, /what kind/],
      [shard([], { fanOut: 0n }), /fan-out of 0/],
      [shard([], { fanOut: 1n }), /fan-out of 1/],
      [shard([], { fanOut: 4n }), /fan-out of 4/],
      [shard([], { fanOut: 100n }), /fan-out of 100/],
      [shard([], { fanOut: 2048n }), /fan-out of 2048/],
      [shard([], { fanOut: 2n ** 40n }), /fan-out of/],
      [shard([], { hashType: 0x12n }), /hash function/],
      [shard([{ cid }]), /without a name/],
    ];
    for (const [wire, why] of wrong) {
      const { message } = await refusal(
        "BAD_BLOCK",
        async () => load(blocks, await blocks.node(wire)),
      );
      assert.match(message, why);
    }
  });

  test("refuses a shard that leads nowhere good, and ends", async () => {
    const blocks = createMemoryBlocks();
    const file = await leaf(blocks, "x");
    const all = (cid: CID) => shard(Array.from({ length: 256 }, (_, i) => link(hex(i), cid)));

    const flat = await blocks.node({ type: "DIRECTORY" });
    const narrow = await blocks.node(shard([link("0a", file)], { fanOut: 16n }));
    const circle = await blocks.node(shard([]));
    await blocks.forge(circle, all(circle));
    // each shard holds the next 256 times: an honest hash, and 256 ^ 8 entries
    let bomb = await blocks.node(shard([link("00a", file)]));
    for (let i = 0; i < 7; i++) bomb = await blocks.node(all(bomb));
    let deep = await blocks.node(shard([link("00a", file)]));
    for (let i = 0; i < 20; i++) deep = await blocks.node(shard([link(hex(i), deep)]));

    for (const child of [file, flat, narrow]) {
      const node = await load(blocks, await blocks.node(all(child)));
      await refusal("BAD_BLOCK", () => found(blocks, node, "a"));
      await refusal("BAD_BLOCK", () => listed(blocks, node));
    }
    for (const root of [circle, await blocks.node(all(circle)), bomb, deep]) {
      const node = await load(blocks, root);
      await refusal("BAD_BLOCK", () => listed(blocks, node));
      if (root !== deep && root !== bomb) {
        await refusal("BAD_BLOCK", () => found(blocks, node, "a"));
      }
    }
    assert.ok(blocks.asked.length < 100, `${blocks.asked.length} blocks were read`);
  });

  test("a reader who leaves does not wait for a shard", async () => {
    const blocks = createMemoryBlocks();
    const node = await load(blocks, await blocks.add(many().map(named)));
    const left = new AbortController();
    const reason = new Error("the reader left");
    blocks.only = [];
    const listing = listed(blocks, node, left.signal);
    left.abort(reason);
    await listing.then(() => assert.unreachable(), (error) => assert.is(error, reason));
  });
});

const named = (name: string) => ({ path: name, content: new TextEncoder().encode(name) });
const many = () => Array.from({ length: MANY }, (_, i) => `page-${i}.html`);
const hex = (slot: number) => slot.toString(16).toUpperCase().padStart(2, "0");
const link = (name: string, cid: CID): WireLink => ({ name, cid, tSize: 1n });

function shard(links: WireLink[], meta: Partial<Wire> = {}): Wire {
  return { type: "HAMT_SHARD", fanOut: 256n, hashType: 0x22n, links, ...meta };
}

async function load(blocks: MemoryBlocks, cid: CID): Promise<DirectoryNode> {
  const node = decodeNode(cid, await blocks.get(cid));
  if (node.kind !== "directory" && node.kind !== "shard") throw new Error(`a ${node.kind}`);
  return node;
}

/** The name under which a name is found: its content says so. */
async function found(blocks: MemoryBlocks, node: DirectoryNode, name: string) {
  const hit = await find(blocks, node, name);
  if (hit === undefined) return undefined;
  assert.is(hit.link.name, name);
  return new TextDecoder().decode(await blocks.get(hit.link.cid));
}

async function listed(blocks: MemoryBlocks, node: DirectoryNode, signal?: AbortSignal) {
  const all: [string, string][] = [];
  for await (const { name, cid } of list(blocks, node, { signal })) all.push([name, String(cid)]);
  return all;
}

/** The same list, as another implementation reads it. */
async function listedByOthers(blocks: MemoryBlocks, root: CID) {
  const all: [string, string][] = [];
  const entry = await exporter(root, blocks.store);
  if (entry.type !== "directory") throw new Error(`a ${entry.type}`);
  for await (const { name, cid } of entry.entries()) all.push([name, String(cid)]);
  return all;
}
