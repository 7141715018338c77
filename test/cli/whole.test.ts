/** Whole folders: `keep` for a node that goes on serving them, `get -o` for a copy on the disk. */
import { existsSync } from "node:fs";
import { mkdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { encode, prepare } from "@ipld/dag-pb";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { addBytes } from "../../src/content/write.ts";
import { createTeller } from "../../src/teller.ts";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { complains, run, startNode } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;
const SITE = {
  "index.html": "<h1>index</h1>",
  "sub/a.txt": "a",
  "sub/größe/empty": "",
  "big.bin": new Uint8Array(3 * MIB).map((_, i) => i % 251),
};

suite("whole", (test) => {
  test("keep: a whole site, served to others when the first is gone", async () => {
    await using dir = await createFolder();
    const site = join(dir.path, "site");
    await addFiles(site, SITE);
    const at = (name: string) => ({ dir: join(dir.path, name) });
    const words = ["seed", site, "--name", "docs.example.org", "--chunk", "64k"];
    await using seeder = await startNode(words, at("seeder"));
    const { cid } = await seeder.events.until("seed:done");

    const address = `/ipfs/${cid}`;
    const peer = (node: { address: string }) => ["--peer", node.address];
    await using keeper = await startNode(["keep", address, ...peer(seeder)], at("keeper"));
    const done = await keeper.events.until("keep:done");
    const first = await keeper.events.until("keep:progress");
    assert.equal([done.address, done.cid, done.bytes], [address, cid, done.fetched]);
    assert.ok(Number(done.bytes) > 3 * MIB && Number(done.blocks) > 48, "the blocks are small");
    assert.equal([typeof first.bytes, first.peers], ["number", 1]);
    await seeder.stop();

    const copy = join(dir.path, "copy");
    const got = await run(["get", address, "-o", copy, ...peer(keeper), "--json"], at("reader"));
    assert.is(got.code, 0, got.said);
    for (const [path, content] of Object.entries(SITE)) {
      assert.equal(new Uint8Array(await readFile(join(copy, path))), bytesOf(content), path);
    }
    const last = JSON.parse(got.stdout.trim().split("\n").at(-1)!);
    assert.equal([last.event, last.file, last.files, last.cid], ["get:done", copy, 4, cid]);
    assert.not.ok(existsSync(`${copy}.part`));
  });

  test("get -o: a folder goes where nothing is, and nowhere else", async () => {
    await using dir = await createFolder();
    await using node = await createLoopbackNode({ dir: join(dir.path, "node") });
    const page = await addBytes(node.helia.blockstore, [bytesOf("a page")]);
    const target = (path: string) => new UnixFS({ type: "symlink", data: bytesOf(path) }).marshal();
    const link = await put(encode(prepare({ Data: target("page"), Links: [] })));
    const out = await put(encode(prepare({ Data: target("../../secret"), Links: [] })));
    const good = await folder({ page, "by/path": page, link });
    const [up, away, twice] = [
      await folder({ page, "../page": page }),
      await folder({ page, out }),
      await folder({ link, "link/page": page }),
    ];
    await node.stop();
    const own = { dir: join(dir.path, "node") };
    const to = join(dir.path, "to");
    const get = (cid: CID) => run(["get", `/ipfs/${cid}`, "-o", to], own);

    assert.equal(await get(good).then(({ code, stdout, said }) => [code, stdout, said]), [
      0,
      "",
      "",
    ]);
    assert.is(await readFile(join(to, "page"), "utf8"), "a page");
    assert.is(await readFile(join(to, "by", "path"), "utf8"), "a page");
    assert.is(await readlink(join(to, "link")), "page");
    complains(await get(good), 1, /cannot be written\. It is there already, and is not empty\.\n/);

    const free = (name: string) => ["-o", join(dir.path, name)];
    for (const [name, cid] of Object.entries({ up, away, twice })) {
      const ended = await run(["get", `/ipfs/${cid}`, ...free(name)], own);
      complains(ended, 1, /^nethood: The block /m);
      assert.not.ok(existsSync(join(dir.path, name)), `${name} was written`);
      assert.not.ok(existsSync(join(dir.path, `${name}.part`)), `${name} left something`);
    }
    await writeFile(join(dir.path, "file"), "");
    complains(await run(["get", `/ipfs/${good}`, ...free("file")], own), 1, /A file is there/);
    await mkdir(join(dir.path, "empty"));
    assert.is((await run(["get", `/ipfs/${good}`, ...free("empty")], own)).code, 0);

    async function put(block: Uint8Array): Promise<CID> {
      const cid = CID.createV1(0x70, await sha256.digest(block));
      await node.helia.blockstore.put(cid, block);
      return cid;
    }

    function folder(names: Record<string, CID>): Promise<CID> {
      const Links = Object.entries(names).map(([Name, Hash]) => ({ Name, Hash, Tsize: 1 }));
      const Data = new UnixFS({ type: "directory" }).marshal();
      return put(encode(prepare({ Data, Links })));
    }
  });

  test("keep tells how much, from whom, how fast, and when it will end", () => {
    const { now } = Date;
    let ms = now();
    Date.now = () => ms;
    try {
      let seen = "";
      const write = (chunk: unknown, _: string, done: () => void) => (seen += chunk, done());
      const [stdout, stderr] = [new Writable({ write }), new Writable({ write })];
      Object.assign(stderr, { isTTY: true });
      const tell = createTeller({ stdout, stderr }).keeping("keep");
      const cid = CID.parse("bafkqaaa");
      const event = { type: "content:keep:block" as const, cid, blocks: 1, totalBytes: 100 * MIB };
      for (const [after, mib, peers] of [[200, 1, 1], [1_800, 4, 3], [2_000, 20, 3]] as const) {
        ms += after;
        tell({ ...event, bytes: mib * MIB, fetched: mib * MIB, peers });
      }
      // a root that claims too little does not make it more than all
      ms += 2_000;
      tell({ ...event, bytes: 120 * MIB, fetched: 120 * MIB, peers: 3 });
      ms += 2_000;
      tell({ ...event, totalBytes: undefined, bytes: MIB, fetched: 120 * MIB, peers: 0 });
      assert.is(
        seen.replaceAll("\x1b[K", "\n"),
        "\r1 %, 1.0 MiB of 100.0 MiB, from 1 peer\n" +
          "\r4 %, 4.0 MiB of 100.0 MiB, from 3 peers, 2.0 MiB/s, 48 s left\n" +
          "\r20 %, 20.0 MiB of 100.0 MiB, from 3 peers, 5.0 MiB/s, 16 s left\n" +
          "\r100 %, 120.0 MiB of 120.0 MiB, from 3 peers, 20.0 MiB/s, 0 s left\n" +
          "\r1.0 MiB, from 0 peers, 15.0 MiB/s\n",
      );
    } finally {
      Date.now = now;
    }
  });
});

function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}
