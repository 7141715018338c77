/** Versions of a site: made, told, and rolled back. */
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import type { Blocks } from "../src/content/blocks.ts";
import { createSeeder, type PublishOptions } from "../src/seeder.ts";
import { createSites } from "../src/site/sites.ts";
import { readText } from "./helpers/bytes.ts";
import { failure, refusal } from "./helpers/failure.ts";
import { createLoopbackNode, untilPeers } from "./helpers/loopback-node.ts";
import { VALUE } from "./helpers/signer.ts";
import { suite } from "./helpers/suite.ts";
import { LABEL, log, NAME, numbers, publish, recordOf } from "./helpers/versions.ts";

/** Content that nobody has. */
const NOWHERE = CID.parse(VALUE.slice("/ipfs/".length));
const DAY_MS = 86_400_000;

suite("seeder, versions", (test) => {
  test("each publication is a version: numbered, with its note, its size, and what it changed", async () => {
    await using node = await createLoopbackNode();
    const before = Date.now();
    const one = await publish(node, { "a.txt": "1", "b/c.txt": "1" }, { note: "the first" });
    const two = await publish(node, { "a.txt": "2", "d.txt": "1" });
    assert.equal([one.version.number, one.unchanged, one.changes], [1, false, undefined]);
    assert.equal([two.version.number, two.unchanged], [2, false]);
    assert.equal(two.changes, { added: 1, changed: 1, removed: 1 });
    const record = await recordOf(node, two);
    assert.equal([record.value, record.number], [`/ipfs/${two.cid}`, 2]);
    assert.equal(record.version, two.version.cid);

    const [second, first] = await log(node);
    assert.equal([second!.number, second!.cid, second!.version!.root, second!.version!.note], [
      2,
      two.version.cid,
      two.cid,
      "",
    ]);
    const { previous, root, note, time } = first!.version!;
    assert.equal([previous, root, note], [null, one.cid, "the first"]);
    assert.equal(second!.version!.previous, one.version.cid);
    assert.ok(time >= before && time <= second!.version!.time && time <= Date.now());
    assert.ok(first!.size! > 100 && first!.size! < 1_000, `${first!.size} bytes`);
  });

  test("what is published already makes no version, unless asked; the record is signed anew only where it has to be", async () => {
    await using node = await createLoopbackNode();
    const one = await publish(node, { "a.txt": "1" });
    const { sequence } = await recordOf(node, one);
    const same = await publish(node, { "a.txt": "1" });
    assert.equal([same.unchanged, same.version, same.changes], [true, one.version, undefined]);
    assert.is((await recordOf(node, one)).sequence, sequence);

    const lifetime = 90 * DAY_MS;
    await publish(node, { "a.txt": "1" }, { lifetime, ttl: 5_000 });
    const record = await recordOf(node, one);
    assert.equal([record.sequence, record.number, record.ttl], [sequence + 1n, 1, 5]);
    assert.ok(Math.abs(record.expires - Date.now() - lifetime) < 20_000);

    const again = await publish(node, { "a.txt": "1" }, { again: true });
    assert.equal([again.version.number, again.unchanged], [2, false]);
    assert.equal(again.changes, { added: 0, changed: 0, removed: 0 });
  });

  test("a rollback is a version above all, which readers take as an update", async () => {
    await using node = await createLoopbackNode();
    await using reader = await createLoopbackNode({ peers: [node.address] });
    await untilPeers(reader, 1);
    const one = await publish(node, { "a.txt": "1" });
    const page = `/ipns/${one.key}/a.txt`;
    assert.is(await readText(node, page), "1"); // for a minute, as far as its record says
    await publish(node, { "a.txt": "2" }, { ttl: 0, lifetime: 9 * DAY_MS });
    assert.is(await readText(node, page), "2", "at once, where it was published");
    assert.is(await readText(reader, page), "2");
    const seeder = createSeeder(node);
    const back = await seeder.rollback(NAME, 1);
    assert.equal([back.version.number, back.cid], [3, one.cid]);
    const { ttl, expires } = await recordOf(node, back);
    assert.is(ttl, 0, "as it was");
    assert.ok(Math.abs(expires - Date.now() - 9 * DAY_MS) < 20_000);
    assert.equal(back.changes, { added: 0, changed: 1, removed: 0 });
    assert.is(await readText(reader, page), "1");
    const [newest] = await log(reader, one.key);
    assert.equal([newest!.number, newest!.version!.note], [3, "rollback to 1"]);

    const twice = await seeder.rollback(NAME, 1);
    assert.equal([twice.unchanged, twice.version.number], [true, 3]);
    const none = await refusal("NO_VERSION", () => seeder.rollback(NAME, 9));
    assert.match(none.hint!, "3");
    await refusal("NO_KEY", () => seeder.rollback("else.example.org", 1));
    await refusal("NO_KEY", () => createSeeder(reader).rollback(NAME, 1));
  });

  test("a reader reads log and differences of anybody's site by its name", async () => {
    await using node = await createLoopbackNode();
    const one = await publish(node, { "a.txt": "1", "b.txt": "1" });
    await publish(node, { "a.txt": "2" });
    const names = { [NAME]: `/ipns/${one.key}`, "fixed.example.org": `/ipfs/${one.cid}` };
    await using reader = await createLoopbackNode({ peers: [node.address], names });
    await untilPeers(reader, 1);
    for (const name of [NAME, `http://${NAME}/a.txt`, one.key, `/ipns/${one.key}`]) {
      assert.equal(numbers(await log(reader, name)), [2, 1], name);
    }
    const changes: string[] = [];
    for await (const { kind, path } of createSites(reader).diff(NAME, 1, 2)) {
      changes.push(`${kind} ${path}`);
    }
    assert.equal(changes.sort(), ["changed a.txt", "removed b.txt"]);
    await refusal("NO_VERSION", () => log(reader, "fixed.example.org"));
    const missing = await refusal("NO_VERSION", () => createSites(reader).version(NAME, 3));
    assert.match(missing.hint!, "newest version is 2");

    // published by other means
    const key = await node.names.publish("plain", one.cid);
    await refusal("NO_VERSION", () => log(reader, `/ipns/${key}`));
  });

  test("two publications at once are two versions, not a fork", async () => {
    await using node = await createLoopbackNode();
    await publish(node, { "a.txt": "1" });
    const words = ["2", "3", "4"];
    await Promise.all(words.map((word) => publish(node, { "a.txt": word })));
    assert.equal(numbers(await log(node)), [4, 3, 2, 1]);
    assert.equal(node.told, []);
  });

  test("a record whose number is not that of its version, and a chain with a hole", async () => {
    await using node = await createLoopbackNode({ timeout: 500 });
    const one = await publish(node, { "a.txt": "1" });
    const two = await publish(node, { "a.txt": "2" });
    await publish(node, { "a.txt": "3" });
    const blocks: Blocks = {
      get: (cid, options) => node.blocks.get(cid.equals(two.version.cid) ? NOWHERE : cid, options),
    };
    const holed = createSites(Object.create(node, { blocks: { value: blocks } }));
    const told: number[] = [];
    const error = await failure((async () => {
      for await (const { number } of holed.log(NAME)) told.push(number);
    })());
    assert.equal([error.code, told], ["VERSION_MISSING", [3]]);

    const claim = { value: `/ipfs/${one.cid}`, version: { cid: one.version.cid, number: 8 } };
    await node.names.update(LABEL, () => Promise.resolve(claim));
    const lie = await refusal("VERSION_INVALID", () => log(node));
    assert.match(lie.message, "says that it is number 1, and the site's record that it is 8");
    // it can be mended: the next version is above it, and its chain is told as far as it is one
    await publish(node, { "a.txt": "4" });
    assert.is((await recordOf(node, one)).number, 9);
  });

  test("after somebody published with the same key by other means, the chain goes on where it was", async () => {
    await using node = await createLoopbackNode();
    const one = await publish(node, { "a.txt": "1" });
    await node.names.publish(LABEL, CID.parse(String(one.cid)));
    assert.is((await recordOf(node, one)).number, undefined);
    assert.equal(numbers(await log(node)), [1], "what there was is still told");
    const two = await publish(node, { "a.txt": "1" });
    assert.equal([two.version.number, two.unchanged], [2, false], "the chain has to lead there");
    assert.equal(numbers(await log(node)), [2, 1]);
  });

  test("a site from before there were versions gets its first one", async () => {
    await using node = await createLoopbackNode();
    const { cid } = await publish(node, { "a.txt": "1" }, { name: "else.example.org" });
    await node.names.publish(LABEL, cid);
    const one = await publish(node, { "a.txt": "1" });
    assert.equal([one.version.number, one.unchanged, one.cid], [1, false, cid]);
  });

  test("what cannot be is refused before anything is read", async () => {
    await using node = await createLoopbackNode();
    const wrong: Partial<PublishOptions>[] = [
      { note: "x".repeat(1_025) },
      { lifetime: 0 },
      { lifetime: NaN },
      { lifetime: 1e15 },
      { ttl: -1 },
      { ttl: 8 * DAY_MS },
    ];
    const { publish } = createSeeder(node);
    for (const options of wrong) {
      const error = await refusal(
        "BAD_OPTION",
        () => publish("/no/such", { name: NAME, ...options }),
      );
      assert.ok(error.hint);
    }
  });

  test("a record that has expired says so, and names the clock: one of the two is wrong", async () => {
    await using node = await createLoopbackNode();
    const one = await publish(node, { "a.txt": "1" }, { lifetime: 1_000 });
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const error = await failure(recordOf(node, one));
    assert.is(error.code, "IPNS_INVALID");
    assert.match(error.message, /has expired: it was valid until \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/);
    assert.match(error.hint!, /clock of this machine is right \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)/);
  });
});
