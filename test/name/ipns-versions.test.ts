/** Records that announce versions: nobody is taken back, whatever the sequence, and two of one number are noticed. */
import type { PrivateKey } from "@helia/interface";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { createNames, LIFETIME_MS, type RecordRouting } from "../../src/name/ipns.ts";
import { checkRecord, readRecord, versionEntries } from "../../src/name/record.ts";
import { thrown } from "../helpers/failure.ts";
import { createIpnsStore } from "../helpers/ipns-store.ts";
import {
  createKeychain,
  hookSignatures,
  nameOf,
  OTHER_VALUE,
  signAnything,
  VALUE,
} from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

const HOUR_MS = 3_600_000, DAY_MS = 24 * HOUR_MS;
const A = CID.parse("bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua");
const B = CID.parse("bafyreieerjghnve2qvpmo2scie53f4lse4bppetledt63lqr6j5rqvhovi");
const LABEL = "_dnslink.docs.example.org";

/** A reader's names, to whom records are handed in. */
function setUp() {
  const keychain = createKeychain();
  const duringSignature = hookSignatures(keychain);
  const store = createIpnsStore();
  const clock = { now: Date.now() };
  const told: string[] = [];
  const changed: string[] = [];
  const routing: RecordRouting = { find: () => Promise.resolve({ records: [], refused: [] }) };
  const names = createNames({ keychain }, routing, store, {
    now: () => clock.now,
    log: (line) => told.push(line),
    onChange: (key) => changed.push(key.toString(base36)),
  });
  const stored = (key: CID) => readRecord(store.get(key.toString(base36))!);
  return { keychain, duringSignature, store, clock, told, changed, names, stored };
}

type Said = { number?: number; cid?: CID; sequence: number; value?: string; expires?: number };

/** A record of any version; without a number it is as Kubo signs it. */
function sign(key: PrivateKey, { number, cid = A, sequence, value = VALUE, expires }: Said) {
  const entries = number === undefined ? {} : versionEntries({ cid, number });
  const validity = expires === undefined
    ? {}
    : { Validity: new TextEncoder().encode(new Date(expires).toISOString()) };
  const bytes = new TextEncoder().encode(value);
  return signAnything(key, { ...entries, ...validity, Sequence: sequence, Value: bytes });
}

suite("name/ipns, versions", (test) => {
  test("a record says which version it announces, and others' entries of these names say nothing", async () => {
    const { keychain } = setUp();
    const key = await keychain.generateKey("somebody");
    const check = async (bytes: Uint8Array) => await checkRecord(nameOf(key), bytes, keychain);
    const { version, number } = await check(await sign(key, { number: 7, sequence: 1 }));
    assert.equal([String(version), number], [String(A), 7]);
    const odd = [
      { _version: "1.0", _number: 7 },
      { _version: A.bytes },
      { _number: 7 },
      { _version: A.bytes, _number: 0 },
      { _version: A.bytes, _number: "7" },
      { _version: A.bytes, _number: 1.5 },
      { _version: CID.createV1(0x55, A.multihash).bytes, _number: 7 },
      { _version: A, _number: 7 },
      { _version: A.bytes.subarray(1), _number: 7 },
    ];
    for (const entries of odd) {
      const record = await check(await signAnything(key, entries));
      assert.equal([record.version, record.number, record.value], [undefined, undefined, VALUE]);
    }
  });

  test("who has seen a version is never taken below it, whatever the sequence", async () => {
    const { keychain, names, stored, changed } = setUp();
    const key = await keychain.generateKey("somebody");
    const name = nameOf(key);
    const put = async (said: Said) => {
      await names.put(name, await sign(key, said));
      const { number, sequence } = stored(name);
      return [number, Number(sequence)];
    };
    assert.equal(await put({ number: 2, sequence: 5 }), [2, 5]);
    assert.equal(await put({ number: 1, sequence: 900 }), [2, 5]);
    assert.equal(await put({ number: 2, sequence: 6 }), [2, 6], "signed again");
    assert.equal(await put({ number: 2, sequence: 4 }), [2, 6]);
    assert.equal(
      await put({ number: 3, sequence: 2 }),
      [3, 2],
      "by a machine that counts for itself",
    );
    assert.equal(await put({ sequence: 1 }), [3, 2]);
    assert.equal(await put({ sequence: 3 }), [undefined, 3], "Kubo's, by its sequence as ever");
    assert.equal(await put({ number: 2, sequence: 50 }), [undefined, 3], "nor by way of that");
    assert.equal(await put({ number: 3, sequence: 51 }), [3, 51]);
    assert.is(changed.length, 5, "told of each that is in force from then on");
  });

  test("two versions of one number are told once, and both are remembered; the later record counts", async () => {
    const { keychain, names, stored, told, clock } = setUp();
    const key = await keychain.generateKey("somebody");
    const name = nameOf(key);
    const expires = Date.now() + DAY_MS;
    const one = await sign(key, { number: 4, cid: A, sequence: 9, expires: expires + 1_000 });
    const other = await sign(key, { number: 4, cid: B, sequence: 9, expires });
    for (const bytes of [one, other, other, one]) {
      clock.now++;
      await names.put(name, bytes);
    }
    assert.is(String(stored(name).version), String(A));
    assert.equal(names.seen(name).map(({ number, cid }) => [number, cid]), [
      [4, String(A)],
      [4, String(B)],
    ]);
    assert.is(told.length, 1);
    assert.match(told[0]!, `two versions 4 of the site ${name.toString(base36)}`);
  });

  test("what is signed goes above all that was heard of: numbers, and sequences that were not taken", async () => {
    const { keychain, names, stored } = setUp();
    const key = await names.publish(LABEL, A);
    const own = await keychain.exportKey(LABEL);
    await names.put(key, await sign(own, { number: 5, cid: A, sequence: 3 }));
    await names.put(key, await sign(own, { number: 4, sequence: 70 }));
    await names.put(key, await sign(own, { number: 5, cid: B, sequence: 2 }));
    assert.equal([stored(key).number, stored(key).sequence], [5, 3n]);
    const seen: unknown[] = [];
    await names.update(LABEL, ({ newest, record }) => {
      seen.push(newest, record!.sequence);
      const version = { cid: B, number: newest!.number + 1 };
      return Promise.resolve({ value: OTHER_VALUE, version });
    });
    assert.equal(seen, [{ cid: A, number: 5 }, 3n], "of a fork the one in force");
    const { number, version, sequence, value } = stored(key);
    assert.equal([number, version, sequence, value], [6, B, 71n, OTHER_VALUE]);
  });

  test("another machine's version that comes while ours is made: ours is made again, above it", async () => {
    const { keychain, names, stored } = setUp();
    const key = await names.publish(LABEL, A);
    const own = await keychain.exportKey(LABEL);
    const made: number[] = [];
    await names.update(LABEL, async ({ newest }) => {
      const number = (newest?.number ?? 0) + 1;
      made.push(number);
      if (made.length === 1) await names.put(key, await sign(own, { number: 1, sequence: 2 }));
      return { value: OTHER_VALUE, version: { cid: B, number } };
    });
    assert.equal(made, [1, 2]);
    assert.equal(names.seen(key).map(({ number }) => number), [2, 1], "no fork");
    assert.equal([stored(key).number, stored(key).sequence], [2, 3n]);
  });

  test("a renewal keeps version and lifetime, and what came meanwhile from another machine stays", async () => {
    const { keychain, duringSignature, names, stored, clock } = setUp();
    const version = { cid: A, number: 3 };
    const lifetime = 8 * HOUR_MS;
    const claim = () => Promise.resolve({ value: VALUE, version, ttl: 20, lifetime });
    const { key } = await names.update(LABEL, claim);
    assert.ok(Math.abs(stored(key).expires - clock.now - lifetime) < 10_000);
    clock.now += 3 * HOUR_MS;
    await names.renew();
    assert.is(stored(key).sequence, 1n, "not in the first half of its life");
    clock.now += HOUR_MS;
    await names.renew();
    const { number, version: cid, sequence, ttl, expires } = stored(key);
    assert.equal([number, cid, sequence, ttl], [3, A, 2n, 20]);
    assert.ok(Math.abs(expires - clock.now - lifetime) < 10_000);

    clock.now += 5 * HOUR_MS;
    const theirs = await sign(await keychain.exportKey(LABEL), {
      number: 4,
      cid: B,
      sequence: 3,
      value: OTHER_VALUE,
      expires: clock.now + LIFETIME_MS,
    });
    const undo = duringSignature(() => names.put(key, theirs));
    await names.renew();
    undo();
    assert.equal([stored(key).number, stored(key).value], [4, OTHER_VALUE]);
  });

  test("a label has a key from its first publication on", async () => {
    const { names } = setUp();
    assert.is(await names.own(LABEL), undefined);
    const nothing = await names.update(LABEL, () => Promise.resolve(undefined));
    assert.is(nothing.record, undefined);
    const key = await names.publish(LABEL, A);
    assert.equal(await names.own(LABEL), key);
    assert.equal(nothing.key, key);
  });

  test("a number that was passed is never signed, and does not stand in the way of the next", async () => {
    const { names, stored } = setUp();
    const publish = (number: number) =>
      names.update(LABEL, () => Promise.resolve({ value: VALUE, version: { cid: A, number } }));
    const { key } = await publish(2);
    assert.match(String(await thrown(publish(1))), "Version 2");
    await publish(3);
    assert.is(stored(key).number, 3);
  });
});
