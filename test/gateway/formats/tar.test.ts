/** TAR files: unpacked by tar(1) they are the folder, and nothing that the blocks say leads out of it. */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { packTar } from "../../../src/content/tar.ts";
import { serve } from "../../../gateway/serve.ts";
import { utf8 } from "../../helpers/bytes.ts";
import { DAG_CBOR, type MemoryBlocks, RAW, type WireLink } from "../../helpers/memory-blocks.ts";
import { createShelf } from "../../helpers/shelf.ts";
import { send } from "../../helpers/socket.ts";
import { suite } from "../../helpers/suite.ts";

const LONG = "ein langer Name, länger als die hundert Bytes eines Kopfes ".repeat(3) + "ę.txt";
const DEEP = Array.from({ length: 12 }, (_, i) => `folder-number-${i}-ą`).join("/");

const folder = (blocks: MemoryBlocks, links: Record<string, CID>) =>
  blocks.node({
    type: "DIRECTORY",
    links: Object.entries(links).map(([name, cid]): WireLink => ({ name, cid })),
  });

const symlink = (blocks: MemoryBlocks, target: string) =>
  blocks.node({ type: "SYMLINK", data: utf8(target) });

suite("gateway: TAR", (test) => {
  test("tar(1) makes the folder of it: any name, any depth, empty files and links", async () => {
    await using shelf = await createShelf();
    const { blocks } = shelf;
    const big = new Uint8Array(2_500_000).map((_, i) => i % 251);
    const site = await blocks.add([
      { path: "a.txt", content: utf8("a") },
      { path: "empty", content: utf8("") },
      { path: "ą/ę/file-źł.txt", content: utf8("utf8") },
      { path: `${DEEP}/${LONG}`, content: utf8("deep") },
      { path: "big.bin", content: big },
    ]);
    const target = `../site/${"./".repeat(60)}ą/ę/file-źł.txt`;
    const links = await folder(blocks, {
      "near": await symlink(blocks, "far"),
      "far": await symlink(blocks, target),
      "up": await symlink(blocks, ".."),
    });
    const doc = await blocks.put(DAG_CBOR, new Uint8Array([0xa0]));
    const root = await folder(blocks, { site, links, doc });
    await shelf.stock();
    const response = await shelf.ask(`/ipfs/${root}?format=tar`);
    assert.is(response.status, 200);
    assert.is(response.headers.get("Content-Type"), "application/x-tar");
    assert.is(response.headers.get("ETag"), `W/"${root}.x-tar"`);
    assert.is(response.headers.get("Content-Disposition"), `attachment; filename="${root}.tar"`);
    await using out = await unpacked(new Uint8Array(await response.arrayBuffer()));
    const at = (path: string) => join(out.path, String(root), path);
    assert.equal((await readdir(out.path)).sort(), [String(root)]);
    assert.equal((await readdir(at(""))).sort(), ["doc", "links", "site"]);
    assert.is(await readFile(at("site/a.txt"), "utf8"), "a");
    assert.is((await stat(at("site/empty"))).size, 0);
    assert.is(await readFile(at(`site/${DEEP}/${LONG}`), "utf8"), "deep");
    assert.ok((await readFile(at("site/big.bin"))).equals(big));
    assert.is(await readlink(at("links/far")), target);
    assert.is(await readFile(at("links/near"), "utf8"), "utf8");
    assert.equal(await readFile(at("doc")).then((bytes) => [...bytes]), [0xa0]);
    // A file by itself is named by its CID, whatever the path to it.
    const file = await shelf.ask(`/ipfs/${root}/site/a.txt?format=tar&filename=b.tar`);
    assert.is(file.headers.get("Content-Disposition"), 'attachment; filename="b.tar"');
    await using one = await unpacked(new Uint8Array(await file.arrayBuffer()));
    const [name] = await readdir(one.path);
    assert.is(file.headers.get("ETag"), `W/"${name}.x-tar"`);
    assert.is(await readFile(join(one.path, name!), "utf8"), "a");
  });

  test("a name that stays inside may be a path; one that leads out is refused before the first byte", async () => {
    await using shelf = await createShelf();
    const { blocks } = shelf;
    const file = await blocks.put(RAW, utf8("bad"));
    const inside = await folder(blocks, {
      "foobar": await folder(blocks, { "dir": await folder(blocks, { "../file": file }) }),
    });
    const names = [
      "..",
      "../foo",
      "a/../../foo",
      "/etc/passwd",
      ".",
      "./..",
      "",
      "a//b",
      "a\\b",
      "..\\foo",
      "a\0b",
      "a/..",
    ];
    const hostile = await Promise.all(
      names.map((name) => folder(blocks, { "bar": file, [name]: file })),
    );
    await shelf.stock();
    const response = await shelf.ask(`/ipfs/${inside}?format=tar`);
    await using out = await unpacked(new Uint8Array(await response.arrayBuffer()));
    assert.is(await readFile(join(out.path, String(inside), "foobar/file"), "utf8"), "bad");
    for (const [i, root] of hostile.entries()) {
      for (const method of ["GET", "HEAD"]) {
        const { status } = await shelf.ask(`/ipfs/${root}?format=tar`, { method });
        assert.is(status, 502, `${method} ${JSON.stringify(names[i])}`);
      }
    }
  });

  test("no symbolic link leads out, and nothing lies behind one", async () => {
    await using shelf = await createShelf();
    const { blocks } = shelf;
    const file = await blocks.put(RAW, utf8("bad"));
    const to = (target: string) => symlink(blocks, target);
    const below = async (target: string) =>
      await folder(blocks, { sub: await folder(blocks, { l: await to(target) }) });
    const hostile: Record<string, CID> = {
      "absolute": await folder(blocks, { l: await to("/etc/passwd") }),
      "above": await folder(blocks, { l: await to("..") }),
      "far above": await below("../../x"),
      "later": await folder(blocks, { a: await to("."), l: await to("a/..") }),
      "backslash": await folder(blocks, { l: await to("a\\..\\b") }),
      "empty": await folder(blocks, { l: await to("") }),
      "cut short": await folder(blocks, { l: await to("a\0b") }),
      "the root itself": await to("../x"),
      "behind it": await folder(blocks, { d: await to("."), "d/x": file }),
      "behind it, in capitals": await folder(blocks, { d: await to("."), "D/x": file }),
      "behind it, composed otherwise": await folder(blocks, {
        "\u00e9": await to("."),
        "e\u0301/x": file,
      }),
      "in its place": await folder(blocks, {
        d: await to("."),
        "./d": await folder(blocks, { l: file }),
      }),
    };
    for (const [what, cid] of Object.entries(hostile)) {
      const { open } = await import("../../../src/content/read.ts");
      let failed: unknown;
      try {
        for await (const _ of packTar(blocks, await open(blocks, cid))) { /* read on */ }
      } catch (error) {
        failed = error;
      }
      assert.is((failed as { code?: string })?.code, "BAD_BLOCK", what);
    }
    // Deep enough, the same target is inside.
    const fine = await below("../x");
    await shelf.stock();
    assert.is((await shelf.ask(`/ipfs/${fine}?format=tar`)).status, 200);
  });

  test("what is found out later cuts the connection, and nothing of it was sent", async () => {
    await using shelf = await createShelf();
    const { blocks } = shelf;
    const file = await blocks.put(RAW, utf8("good"));
    const bad = await blocks.put(RAW, utf8("bad"));
    const root = await folder(blocks, {
      "1": await folder(blocks, { "good": file }),
      "2": await folder(blocks, { "../../../evil": bad }),
    });
    await shelf.stock();
    await using server = await serve(shelf.app, { port: 0 });
    const text = `GET /ipfs/${root}?format=tar HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const raw = await send(server.url, text);
    assert.match(raw, /^HTTP\/1\.1 200 OK/);
    assert.ok(raw.includes("good"));
    assert.not.ok(raw.includes("evil"));
    assert.not.ok(raw.endsWith("\r\n0\r\n\r\n"), "the end of a whole body");
    assert.match(shelf.log.join("\n"), "no safe file name");
  });
});

/** A folder into which tar(1) put the files; what tar(1) objects to fails the test. */
async function unpacked(tar: Uint8Array): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "nethood-tar-"));
  await mkdir(path, { recursive: true });
  const { status, stderr } = spawnSync("tar", ["-xf", "-", "-C", path], { input: tar });
  assert.is(status, 0, String(stderr));
  assert.is(String(stderr), "");
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
