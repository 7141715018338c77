/** A publisher's keys and records, and the newest record that a reader knows. */
import type { Helia } from "@helia/interface";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { createNames, LIFETIME_MS, type RecordRouting, TTL_MS } from "../../src/name/ipns.ts";
import { checkRecord, readRecord } from "../../src/name/record.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { createIpnsStore } from "../helpers/ipns-store.ts";
import {
  createKeychain,
  hookSignatures,
  nameOf,
  OTHER_VALUE,
  signRecord,
  VALUE,
} from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

const DAY_MS = 86_400_000;
const A = CID.parse(VALUE.slice("/ipfs/".length));
const B = CID.parse(OTHER_VALUE.slice("/ipfs/".length));

/** A node's names with a clock that the test moves, and neighbours that have what the test gives them. */
function setUp(keychain: Helia["keychain"] = createKeychain()) {
  const duringSignature = hookSignatures(keychain);
  const store = createIpnsStore();
  const clock = { now: Date.now() };
  const neighbours: { records: Uint8Array[]; refused: Error[]; hurried: boolean[] } = {
    records: [],
    refused: [],
    hurried: [],
  };
  const routing: RecordRouting = {
    find: (_, { hurry } = {}) => {
      neighbours.hurried.push(hurry!);
      const { records, refused } = neighbours;
      return Promise.resolve({ records: records.map(readRecord), refused });
    },
  };
  const told: string[] = [];
  const log = (line: string) => void told.push(line);
  const again = () => createNames({ keychain }, routing, store, { now: () => clock.now, log });
  const stored = (key: CID) => readRecord(store.get(key.toString(base36))!);
  const names = again();
  return { keychain, duringSignature, clock, neighbours, again, names, stored, store, told };
}

suite("name/ipns", (test) => {
  test("signs a record for thirty days, good for a minute without asking again", async () => {
    const { names, stored, keychain } = setUp();
    const key = await names.publish("docs.example.org", A);
    const { value, sequence, ttl, expires, bytes } = stored(key);
    assert.equal([value, sequence, ttl], [VALUE, 1n, TTL_MS / 1000]);
    assert.ok(Math.abs(expires - Date.now() - LIFETIME_MS) < 10_000);
    assert.is((await checkRecord(key, bytes, keychain)).value, VALUE, "anybody can check it");
    assert.equal(await names.resolve(key), { value: VALUE, ttl: 60 });
  });

  test("one label has one key, and each publication a higher sequence, also of the same version and after a restart", async () => {
    const { names, again, stored } = setUp();
    const key = await names.publish("a.example.org", A);
    const steps: [CID, bigint][] = [[A, 2n], [B, 3n], [A, 4n]];
    for (const [value, sequence] of steps) {
      assert.equal(await again().publish("a.example.org", value), key);
      assert.equal([stored(key).value, stored(key).sequence], [`/ipfs/${value}`, sequence]);
    }
    assert.not.equal(await names.publish("b.example.org", A), key);
  });

  test("publications at once follow each other", async () => {
    const { names, stored } = setUp();
    const [key] = await Promise.all([A, B, A, B].map((cid) => names.publish("x.example.org", cid)));
    assert.equal([stored(key!).sequence, stored(key!).value], [4n, OTHER_VALUE]);
  });

  test("an abort leaves the version before in force, and does not stand in the way of the next", async () => {
    const { names, stored, duringSignature } = setUp();
    const key = await names.publish("x.example.org", A);
    const reason = new Error("changed my mind");
    const signal = AbortSignal.abort(reason);
    assert.ok(await thrown(names.publish("x.example.org", B, { signal })));
    // the last moment: while it is being signed
    const stop = new AbortController();
    const undo = duringSignature(() => stop.abort(reason));
    assert.is(await thrown(names.publish("x.example.org", B, { signal: stop.signal })), reason);
    undo();
    assert.equal([stored(key).sequence, stored(key).value], [1n, VALUE]);
    await names.publish("x.example.org", B);
    assert.equal([stored(key).sequence, stored(key).value], [2n, OTHER_VALUE]);
  });

  test("publishes above what came from another machine with the same key", async () => {
    const { names, neighbours, keychain, duringSignature, stored, clock } = setUp();
    const key = await names.publish("x.example.org", A);
    const record = await signRecord(await keychain.exportKey("x.example.org"), { sequence: 40n });
    neighbours.records = [record];
    await names.resolve(key);
    await names.publish("x.example.org", B);
    assert.is(stored(key).sequence, 41n);

    // also if it comes while ours is being signed
    neighbours.records = [
      await signRecord(await keychain.exportKey("x.example.org"), { sequence: 50n }),
    ];
    const undo = duringSignature(() => names.resolve(key));
    await names.publish("x.example.org", A);
    undo();
    assert.equal([stored(key).sequence, stored(key).value], [51n, VALUE]);
    assert.ok(stored(key).expires > clock.now + DAY_MS, "it is ours");
  });

  test("the newest of several neighbours' records counts, and none takes a reader back", async () => {
    const { names, neighbours, keychain, stored, clock } = setUp();
    const key = await keychain.generateKey("somebody");
    const name = nameOf(key);
    const old = await signRecord(key, { sequence: 4n, lifetime: LIFETIME_MS });
    const recent = await signRecord(key, { sequence: 5n, value: OTHER_VALUE, lifetime: DAY_MS });
    neighbours.records = [old, recent, old];
    assert.is((await names.resolve(name)).value, OTHER_VALUE);
    neighbours.records = [old];
    assert.is((await names.resolve(name)).value, OTHER_VALUE);
    neighbours.records = [];
    assert.is((await names.resolve(name)).value, OTHER_VALUE, "without neighbours, the stored one");
    assert.equal(
      neighbours.hurried,
      [false, true, true],
      "who has a record does not wait for long",
    );
    assert.is(stored(name).sequence, 5n);

    neighbours.records = [old];
    clock.now += DAY_MS + 1_000;
    const error = await failure(names.resolve(name));
    assert.is(error.code, "IPNS_INVALID", "not even when the newer one has expired");
    assert.match(error.message, "has expired");
    assert.is(neighbours.hurried.at(-1), false);
  });

  test("a record is not used beyond its end", async () => {
    const { names, neighbours, keychain } = setUp();
    const key = await keychain.generateKey("somebody");
    neighbours.records = [await signRecord(key, { ttl: 600, lifetime: 30_000 })];
    const { ttl } = await names.resolve(nameOf(key));
    assert.ok(ttl > 20 && ttl <= 30, `${ttl}`);
  });

  test("says whether nobody has a record, or only bad ones", async () => {
    const { names, neighbours, keychain } = setUp();
    const key = nameOf(await keychain.generateKey("somebody"));
    const missing = await failure(names.resolve(key));
    assert.equal([missing.code, missing.status], ["IPNS_NOT_FOUND", 404]);
    assert.match(missing.message, key.toString(base36));
    assert.match(missing.hint!, "--peer");

    neighbours.refused = [new Error("it is signed by nobody")];
    const bad = await failure(names.resolve(key));
    assert.equal([bad.code, bad.status], ["IPNS_INVALID", 502]);
    assert.match(bad.message, "not signed by its key");
    assert.match(bad.hint!, "--peer");
    assert.equal((bad.cause as AggregateError).errors, neighbours.refused);
  });

  test("renews its own records a day after they were signed: same value and TTL, higher sequence, whole lifetime", async () => {
    const { names, clock, stored, neighbours, keychain, store } = setUp();
    const key = await names.publish("x.example.org", A);
    const other = await keychain.generateKey("not ours in this store");
    await keychain.removeKey("not ours in this store");
    neighbours.records = [await signRecord(other, { lifetime: LIFETIME_MS })];
    await names.resolve(nameOf(other));
    const others = stored(nameOf(other)).bytes;

    await names.renew();
    assert.is(stored(key).sequence, 1n, "not while it is fresh");
    clock.now += DAY_MS;
    await names.renew();
    const { value, sequence, ttl, expires } = stored(key);
    assert.equal([value, sequence, ttl], [VALUE, 2n, TTL_MS / 1000]);
    assert.ok(Math.abs(expires - clock.now - LIFETIME_MS) < 10_000);
    await names.renew();
    assert.is(stored(key).sequence, 2n, "once a day");

    clock.now += 400 * DAY_MS;
    await names.renew();
    assert.is(stored(key).sequence, 3n, "one that expired while the machine was off comes back");
    assert.equal(stored(nameOf(other)).bytes, others, "another's record is never touched");
    assert.is(store.count(), 2);
  });

  test("a renewal during a publication does not bring the old version back", async () => {
    const { names, clock, stored } = setUp();
    const key = await names.publish("x.example.org", A);
    clock.now += DAY_MS;
    await Promise.all([names.renew(), names.publish("x.example.org", B), names.renew()]);
    assert.is(stored(key).value, OTHER_VALUE);
  });
});
