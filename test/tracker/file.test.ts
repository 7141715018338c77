/** The tracker's file, damaged where it is not looked at for an announce, or left by one that was killed. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as assert from "uvu/assert";
import { openFile } from "../../src/tracker/file.ts";
import { SqliteStore } from "../../src/tracker/sqlite.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

/** SQLite's, as it is by default. */
const PAGE_BYTES = 4_096;

const FILE = "tracker.sqlite";

suite("tracker: the file", (test) => {
  for (const table of ["ipns", "completed"]) {
    test(`damage to the table ${table} is found at the start, not by whoever asks first`, async () => {
      await using folder = await createFolder();
      const { path } = folder;
      const mark = randomBytes(24).toString("hex");
      const { db } = openFile(path, () => ({}), () => undefined);
      const row = db.prepare(`INSERT INTO ${table} VALUES (?, ?)`);
      for (let i = 0; i < 200; i++) row.run(`${i} ${mark}`, i);
      db.close();
      const file = join(path, FILE);
      writeFileSync(file, scribbled(readFileSync(file), mark));

      const told: string[] = [];
      await using store = new SqliteStore(path, (line) => told.push(line));
      assert.match(told.join(), /damaged.*begins without announces/);
      assert.ok(readdirSync(path).includes(`${FILE}.damaged`));
      assert.is((await store.stats()).records, 0);
    });
  }

  test("what a killed tracker had not yet put into its file is not put into the next one", async () => {
    await using folder = await createFolder();
    await using copy = await createFolder();
    const mark = randomBytes(24).toString("hex");
    for (const name of ["in the file", "in the log beside it"]) {
      const { db } = openFile(folder.path, () => ({}), () => undefined);
      const row = db.prepare("INSERT INTO ipns VALUES (?, ?)");
      for (let i = 0; i < 2_000; i++) row.run(`${name} ${i} ${mark}`, i);
      for (const end of ["", "-wal"]) {
        copyFileSync(join(folder.path, FILE + end), join(copy.path, FILE + end));
      }
      db.close();
    }
    const file = join(copy.path, FILE);
    writeFileSync(file, scribbled(readFileSync(file), mark));

    const told: string[] = [];
    {
      await using store = new SqliteStore(copy.path, (line) => told.push(line));
      assert.is(told.length, 1);
      assert.is((await store.stats()).records, 0);
      assert.ok(await store.putRecord("name", new Uint8Array([1]), undefined));
    }
    const sound = new DatabaseSync(file);
    assert.is(sound.prepare("PRAGMA integrity_check").get()!.integrity_check, "ok");
    assert.is(sound.prepare("SELECT count(*) AS n FROM ipns").get()!.n, 1);
    sound.close();
  });
});

/** The same with every page on which these words stand overwritten. */
function scribbled(bytes: Uint8Array, words: string): Uint8Array {
  const all = new Uint8Array(bytes);
  let pages = 0;
  for (let at = 0; at < all.byteLength; at += PAGE_BYTES) {
    const page = all.subarray(at, at + PAGE_BYTES);
    if (Buffer.from(page).includes(words) && ++pages) page.fill(0x5a);
  }
  assert.ok(pages > 0);
  return all;
}
