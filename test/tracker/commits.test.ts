/** Many writes as one: nobody is told of a write that is not on disk. */
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Commits } from "../../src/tracker/commits.ts";
import { thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";

/** A file that one connection writes, and what another one sees of it. */
async function opened() {
  await using starting = new AsyncDisposableStack();
  const file = join(starting.use(await createFolder()).path, "some.sqlite");
  const connect = () => starting.adopt(new DatabaseSync(file), (db) => db.close());
  const db = connect();
  db.exec("PRAGMA journal_mode = WAL; CREATE TABLE some (n INTEGER PRIMARY KEY)");
  const all = connect().prepare("SELECT n FROM some ORDER BY n");
  const commits = new Commits(db, (error) => error);
  starting.defer(() => commits.flush());
  const kept = starting.move();
  return {
    commits,
    add: (n: number) => db.prepare("INSERT INTO some VALUES (?)").run(n),
    seen: () => all.all().map(({ n }) => n),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

suite("tracker: commits", (test) => {
  test("each of a batch is answered when all of it is on disk, and not before", async () => {
    await using t = await opened();
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    const told = numbers.map(async (n) => {
      await t.commits.write(() => t.add(n));
      return t.seen().length;
    });
    assert.equal(t.seen(), []);
    assert.equal(await Promise.all(told), numbers.map(() => 50));
  });

  test("what waits is written at once where there is no more time", async () => {
    await using t = await opened();
    const written = t.commits.write(() => t.add(1));
    t.commits.flush();
    assert.equal(t.seen(), [1]);
    await written;
  });

  test("where one part fails nothing of the batch is written, all are told, and the next is", async () => {
    await using t = await opened();
    const reason = new Error("no");
    const batch = [() => t.add(1), () => {
      throw reason;
    }];
    const told = await Promise.all(batch.map((work) => thrown(t.commits.write(work))));
    assert.equal(told, [reason, reason]);
    assert.equal(t.seen(), []);
    await t.commits.write(() => t.add(2));
    assert.equal(t.seen(), [2]);
  });
});
