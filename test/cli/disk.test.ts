/** A disk that fills up: what was kept before stays, and what is wanted now is told. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { createFolder } from "../helpers/folder.ts";
import { complains, run, start, startNode } from "../helpers/program.ts";
import { suite } from "../helpers/suite.ts";

const FULL = /The disk that holds .* is full\.\n +Free some space, or .*--dir/;
const MIB = 1024 * 1024;

suite("a full disk", (test, left) => {
  const why = mountAvailable();
  if (why) return left("in the middle of seed, and of reading", why);

  test("in the middle of seed: the version before is still there, and room is all it needs", async () => {
    await using disk = await createDisk("12m");
    await using dir = await createFolder();
    const site = join(dir.path, "site");
    await mkdir(site);
    await writeFile(join(site, "index.html"), "first");
    const words = ["seed", site, "--name", "docs.example.org"];
    const own = { dir: join(disk.path, "node") };
    const first = await seeded(words, own);

    await writeFile(join(site, "index.html"), "second");
    await writeFile(join(site, "big.bin"), randomBytes(20 * MIB));
    complains(await run([...words, "--port", "0"], own), 1, FULL);
    assert.is((await run(["get", `/ipfs/${first.cid}`], own)).stdout.trim(), "first");
    assert.is((await run(["get", `/ipns/${first.name}`], own)).stdout.trim(), "first");

    disk.remount("size=60m");
    const second = await seeded(words, own);
    assert.is(second.name, first.name, "the site keeps its name");
    assert.is((await run(["get", `/ipns/${first.name}`], own)).stdout.trim(), "second");
  });

  test("in the middle of reading: the sentence is about the disk, not about neighbours", async () => {
    await using disk = await createDisk("12m");
    await using dir = await createFolder();
    const site = join(dir.path, "site");
    await mkdir(site);
    const content = randomBytes(20 * MIB);
    await writeFile(join(site, "big.bin"), content);
    const seed = ["seed", site, "--name", "docs.example.org"];
    await using seeder = await startNode(seed, { dir: join(dir.path, "seeder") });
    const { cid } = await seeder.events.until("seed:done");

    const file = join(dir.path, "got.bin");
    const get = ["get", `/ipfs/${cid}/big.bin`, "-o", file, "--peer", seeder.address];
    const own = { dir: join(disk.path, "node") };
    complains(await run(get, own), 1, FULL);
    assert.not.ok(existsSync(file) || existsSync(`${file}.part`), "half a file was left");

    disk.remount("size=60m");
    assert.is((await run(get, own)).code, 0);
    assert.is(await hash(file), createHash("sha256").update(content).digest("hex"));
  });

  test("where the file is wanted: the same, and the file that was there is whole", async () => {
    await using disk = await createDisk("2m");
    await using dir = await createFolder();
    const site = join(dir.path, "site");
    await mkdir(site);
    await writeFile(join(site, "big.bin"), randomBytes(4 * MIB));
    const own = { dir: join(dir.path, "seeder") };
    const { cid } = await seeded(["seed", site, "--name", "docs.example.org"], own);
    const file = join(disk.path, "got.bin");
    await writeFile(file, "before");
    const ended = await run(["get", `/ipfs/${cid}/big.bin`, "-o", file], own);
    complains(ended, 1, /The disk for .*got\.bin is full\.\n +Free some space/);
    assert.is(await hash(file), createHash("sha256").update("before").digest("hex"));
  });
});

/** Publishes, and ends. */
async function seeded(words: string[], options: { dir: string }) {
  await using child = start([...words, "--port", "0", "--json"], options);
  const done = await child.events.until("seed:done");
  await child.events.until("ready");
  assert.equal(await child.stop(), { code: 0, signal: null });
  return done;
}

async function hash(file: string): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return createHash("sha256").update(await readFile(file)).digest("hex");
}
