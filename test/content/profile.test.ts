/**
 * The CID profile unixfs-v1-2025 means one thing everywhere: a folder has the CID that Kubo gives it. The constants are
 * Kubo's own, so that this holds where there is no Kubo. Each was printed by
 *
 *     ipfs init --profile test,unixfs-v1-2025
 *     ipfs add -r -Q --hidden --dereference-symlinks FOLDER
 */
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { open } from "../../src/content/read.ts";
import { addFolder } from "../../src/content/write.ts";
import { DiskBlocks } from "../../src/store/blocks.ts";
import { addFiles, createFolder, createMemoryFolder } from "../helpers/folder.ts";
import { kuboAvailable, kuboBinary } from "../helpers/kubo.ts";
import { createMemoryBlocks } from "../helpers/memory-blocks.ts";
import { localhost } from "../helpers/process.ts";
import {
  NAMES,
  noise,
  writeFolderOfSize,
  writeManyFolders,
  writeSparseFile,
  writeTrickySite,
} from "../helpers/tricky-sites.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024, GIB = 1024 * MIB;

const REAL = "/usr/share/doc/python3.11/html";

/** Last words of a file that is 4 GiB and three bytes long; they lie on both sides of the border. */
const END = "the end", BEFORE_END = 4 * GIB - 4;

/** Kubo 0.43.0's CID of {@link writeSparseFile} as the one file `film.mp4` of a folder. */
const HUGE = "bafybeiamy2dukp65dsnlb6dapf3pslkmai457ust2omzrdaxvs674fnn4q";

interface Site {
  what: string;
  write(dir: string): Promise<void>;
  cid: string;
}

const SITES: Site[] = [
  {
    what: "one file of no bytes",
    write: (dir) => addFiles(dir, { "index.html": "" }),
    cid: "bafybeif7mwlbnpnmgbilt45gdnqrkg3bplxuvnwcmlbgirtbumvscg2m34",
  },
  {
    what: "nothing but a folder",
    write: (dir) => addFiles(dir, { "a/b/c/": "" }),
    cid: "bafybeicfmvqfnjavclsjitms3fxxrhwgl6rnfddkv4awdfl356lq5xddl4",
  },
  {
    what: "a file of one chunk, and one of one byte more",
    write: (dir) => addFiles(dir, { "chunk": noise(MIB), "more": noise(MIB + 1) }),
    cid: "bafybeifrx6k4btzeiijinxpom4dolsbriyyejltjyafgv2dlwdpobqocoq",
  },
  {
    what: "names in every script, links, folders in folders",
    write: writeTrickySite,
    cid: "bafybeigfkmv5oah3b3ardbjkhikq4w5wlckrdaqj5hwthkpn4tq4mmynym",
  },
  {
    what: "the largest flat directory",
    write: (dir) => writeFolderOfSize(dir, 262_144),
    cid: "bafybeid5mhfq66be7732fpwfqukdfndefn37umzzhqjk46zfyakfvzorqu",
  },
  {
    what: "a directory that is one byte larger",
    write: (dir) => writeFolderOfSize(dir, 262_145),
    cid: "bafybeiaxuk7qkayovd2ty4gfmfrp64cecc6dv5fpbth7maso6la4zwobge",
  },
  {
    what: "a directory of many subfolders",
    write: writeManyFolders,
    cid: "bafybeihscvztz3ipmjfhmk4kino2fwrdfck5qfyakisgad2val2l26r6cm",
  },
];

suite("CID profile", (test, left) => {
  for (const { what, write, cid } of SITES) {
    test(`${what}: the CID is Kubo's, and everything can be found again`, async () => {
      await using site = await createFolder();
      await write(site.path);
      const blocks = createMemoryBlocks();
      const added = await addFolder(blocks.store, site.path, { hidden: true });
      assert.is(String(added.cid), cid);
      const root = await open(blocks, added.cid);
      assert.is(root.kind, "directory");
      if (root.kind !== "directory") return;
      for await (const { name } of root.entries()) assert.ok(await root.child(name), name);
    });
  }

  test("a file over 4 GiB: the CID is Kubo's, and its last bytes can be read", async () => {
    await using site = await createMemoryFolder();
    await writeSparseFile(join(site.path, "film.mp4"), BEFORE_END, END);
    await using dir = await createFolder();
    const blocks = new DiskBlocks(dir.path);
    await blocks.open();
    const added = await addFolder(blocks, site.path);
    assert.is(String(added.cid), HUGE);
    assert.is(added.bytes, BEFORE_END + END.length);

    const film = await open({ get: async (cid) => (await blocks.read(cid))! }, added.cid, [
      "film.mp4",
    ]);
    if (film.kind !== "file") throw new Error(`the film is a ${film.kind}`);
    assert.is(film.size, BEFORE_END + END.length);
    const bytes: Uint8Array[] = [];
    for await (const part of film.bytes({ start: BEFORE_END - 1, end: film.size })) {
      bytes.push(part);
    }
    assert.is(Buffer.concat(bytes).toString(), `\0${END}`);
    // 4,096 equal chunks are one block: a film of nothing takes no room
    assert.ok((await dirSize(dir.path)) < 4 * MIB);
  });

  const missing = kuboAvailable();
  const agrees = "the Kubo that is here agrees";
  if (missing !== undefined) left(agrees, missing);
  else {
    test(agrees, async () => {
      await using repo = await createFolder();
      const env = { IPFS_PATH: repo.path, IPFS_TELEMETRY: "off" };
      const ipfs = (args: string[]) =>
        kuboBinary().then((bin) => localhost.run(bin, args, { env }));
      await ipfs(["init", "--profile", "test,unixfs-v1-2025"]);
      const add = ["add", "-r", "-Q", "--only-hash", "--dereference-symlinks"];
      await using site = await createFolder();
      await writeTrickySite(site.path);
      const tricky = await addFolder(createMemoryBlocks().store, site.path, { hidden: true });
      assert.is((await ipfs([...add, "--hidden", site.path])).trim(), String(tricky.cid));
      if (!existsSync(REAL)) return;
      const { cid } = await addFolder(createMemoryBlocks().store, REAL);
      assert.is(String(cid), (await ipfs([...add, REAL])).trim());
    });
    if (!existsSync(REAL)) left("a real site", `there is no ${REAL} (Debian: python3.11-doc)`);
  }

  test("names stay what they are", async () => {
    await using site = await createFolder(Object.fromEntries(NAMES.map((name) => [name, name])));
    const blocks = createMemoryBlocks();
    const { cid } = await addFolder(blocks.store, site.path, { hidden: true });
    const root = await open(blocks, cid);
    if (root.kind !== "directory") throw new Error(`the root is a ${root.kind}`);
    const names: string[] = [];
    for await (const { name } of root.entries()) names.push(name);
    assert.equal(names.sort(), [...NAMES].sort());
  });
});

async function dirSize(dir: string): Promise<number> {
  let size = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) size += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return size;
}
