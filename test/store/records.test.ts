/** The records of a folder: one node at a time, private, and never touched by a program that does not understand them. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as assert from "uvu/assert";
import type { NethoodError } from "../../src/errors.ts";
import { Records } from "../../src/store/records.ts";
import { startActor } from "../helpers/actor.ts";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

const NOTE = "INSERT OR REPLACE INTO kv VALUES (?, ?)";
const bytes = (size: number) => new Uint8Array(size).fill(7);

function refused(dir: string): NethoodError {
  try {
    new Records(dir).close();
  } catch (error) {
    return error as NethoodError;
  }
  throw new Error(`${dir} was opened`);
}

function count(records: Records): number {
  return records.get<{ n: number }>("SELECT count(*) AS n FROM kv")!.n;
}

suite("records", (test, left) => {
  test("what was noted is there after a restart", async () => {
    await using dir = await createFolder();
    const folder = join(dir.path, "made/on/the/way");
    const first = new Records(folder);
    first.run(NOTE, "/key", bytes(3));
    first.close();
    first.close();
    const second = new Records(folder);
    assert.equal(second.all("SELECT * FROM kv").map((row) => ({ ...row as object })), [
      { key: "/key", value: bytes(3) },
    ]);
    second.close();
  });

  test("nobody else may read the private keys", async () => {
    await using dir = await createFolder();
    const records = new Records(dir.path);
    records.run(NOTE, "/key", bytes(3));
    const files = readdirSync(dir.path);
    assert.ok(files.includes("nethood.sqlite"));
    for (const file of files) assert.is(statSync(join(dir.path, file)).mode & 0o777, 0o600, file);
    records.close();
  });

  test("a second node on the folder is refused; the end of the first frees it, however it came", async () => {
    await using dir = await createFolder();
    await using holder = startActor(["hold", dir.path]);
    await holder.events.until("held");
    const error = refused(dir.path);
    assert.is(error.code, "DIR_LOCKED");
    assert.is(error.message, `Another Nethood node is using the folder ${dir.path}.`);
    assert.match(error.hint!, /its own folder with --dir/);
    holder.kill("SIGKILL");
    await holder.exit;
    new Records(dir.path).close();
  });

  test("a folder of a newer program is refused and stays as it is", async () => {
    // Its path holds words that the database's own errors would hold.
    await using place = await createFolder({ "locked and busy/": "" });
    const dir = join(place.path, "locked and busy");
    const file = join(dir, "nethood.sqlite");
    const newer = new DatabaseSync(file);
    newer.exec("CREATE TABLE future (x); INSERT INTO future VALUES (1); PRAGMA user_version = 99");
    newer.close();
    const before = readFileSync(file);
    const error = refused(dir);
    assert.is(error.code, "DIR_TOO_NEW");
    assert.match(error.message, /newer Nethood \(format 99\)/);
    assert.match(error.hint!, /Update this program/);
    assert.equal(readFileSync(file), before);
    assert.equal(readdirSync(dir), ["nethood.sqlite"]);
  });

  test("a file that is no database, or is damaged, is told and stays as it is", async () => {
    await using dir = await createFolder({ "nethood.sqlite": "Hello ".repeat(1000) });
    const error = refused(dir.path);
    assert.is(error.code, "DIR_UNWRITABLE");
    assert.match(error.message, /nethood\.sqlite is damaged or not a Nethood file/);
    assert.match(error.hint!, /Move it away/);
    assert.is(readFileSync(join(dir.path, "nethood.sqlite"), "utf8"), "Hello ".repeat(1000));
  });

  test("a file where the folder should be is told", async () => {
    await using dir = await createFolder({ "data": "a file" });
    for (const path of ["data", "data/below"]) {
      const error = refused(join(dir.path, path));
      assert.is(error.code, "DIR_UNWRITABLE");
      assert.match(error.message, /a file is in the way/);
    }
  });

  test("a transaction is all or nothing", async () => {
    await using dir = await createFolder();
    const records = new Records(dir.path);
    const reason = new Error("the disk is locked, said nobody");
    try {
      records.transaction(() => {
        records.run(NOTE, "/one", bytes(1));
        throw reason;
      });
      assert.unreachable();
    } catch (error) {
      assert.is(error, reason);
    }
    assert.is(count(records), 0);
    assert.is(records.transaction(() => (records.run(NOTE, "/two", bytes(1)), "done")), "done");
    assert.is(count(records), 1);
    records.close();
  });

  const mounted = "a disk that is full, or read-only, is told; what was noted stays";
  const why = mountAvailable();
  if (why !== undefined) left(mounted, why);
  else {
    test(mounted, async () => {
      await using disk = await createDisk("2m");
      const records = new Records(disk.path);
      records.run(NOTE, "/first", bytes(10));
      writeFileSync(join(disk.path, "ballast"), bytes(1_500_000));
      for (
        const write of [
          () => records.run(NOTE, "/large", bytes(1_000_000)),
          () => records.transaction(() => records.run(NOTE, "/large", bytes(1_000_000))),
        ]
      ) {
        try {
          write();
          assert.unreachable();
        } catch (error) {
          assert.is((error as NethoodError).code, "DISK_FULL", String(error));
          assert.match((error as NethoodError).hint!, /Free some space/);
        }
      }
      assert.is(count(records), 1);
      records.close();

      disk.remount("ro");
      const error = refused(disk.path);
      assert.is(error.code, "DIR_UNWRITABLE");
      assert.match(error.hint!, /--dir/);
    });
  }
});
