/** Which IPNS records are believed, and what of them. */
import { Buffer } from "node:buffer";
import { IPNSEntry } from "@helia/ipns";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { LIBP2P_KEY } from "../../src/content/address.ts";
import { checkRecord, readRecord, replaces } from "../../src/name/record.ts";
import { thrown } from "../helpers/failure.ts";
import {
  createKeychain,
  nameOf,
  OTHER_VALUE,
  signAnything,
  signRecord,
  VALUE,
} from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

const keychain = createKeychain();
const key = await keychain.generateKey("ours");
const stranger = await keychain.generateKey("a stranger's");
const name = nameOf(key);

const check = (bytes: Uint8Array, of: CID = name) => checkRecord(of, bytes, keychain);
const text = (words: string) => Buffer.from(words);

/** The same record with other fields beside the signed ones. */
const beside = (bytes: Uint8Array, fields: Partial<IPNSEntry>) =>
  IPNSEntry.encode({ ...IPNSEntry.decode(bytes), ...fields });

suite("name/record", (test) => {
  for (const v1Compatible of [true, false]) {
    test(`reads what is signed (${v1Compatible ? "beside" : "without"} the first version's fields)`, async () => {
      const claim = { value: `${VALUE}/docs`, sequence: 2n ** 60n, ttl: 77, lifetime: 5_000_000 };
      const record = await check(await signRecord(key, { ...claim, v1Compatible }));
      assert.equal([record.value, record.sequence, record.ttl], [claim.value, 2n ** 60n, 77]);
      assert.ok(Math.abs(record.expires - Date.now() - claim.lifetime) < 10_000);
    });
  }

  test("what stands beside the signature counts for nothing, and is not handed on", async () => {
    const pure = await signRecord(key, { v1Compatible: false });
    const dressed = beside(pure, {
      value: text(OTHER_VALUE) as Uint8Array<ArrayBuffer>,
      sequence: 99n,
      ttl: 99_000_000_000n,
      publicKey: stranger.publicKey.toProtobuf() as Uint8Array<ArrayBuffer>,
    });
    const record = await check(dressed);
    assert.equal([record.value, record.sequence, record.ttl], [VALUE, 1n, 60]);
    assert.ok(Buffer.from(record.bytes).equals(pure));
  });

  test("a TTL that is not there is five minutes, and a year is a week", async () => {
    assert.is((await check(await signAnything(key, { TTL: 365 * 86_400 * 1e9 }))).ttl, 604_800);
    assert.is((await check(await signAnything(key, { TTL: undefined }))).ttl, 300);
  });

  const refused: [string, RegExp, () => Promise<Uint8Array>][] = [
    [
      "bytes that are none",
      /invalid wire type/,
      () => Promise.resolve(new Uint8Array(200).fill(7)),
    ],
    ["no bytes", /Missing signatureV2/, () => Promise.resolve(new Uint8Array())],
    ["one that has expired", /expired/, () => signRecord(key, { lifetime: -1_000 })],
    ["another key's", /verification failed/, () => signRecord(stranger)],
    [
      "one over 10 KiB",
      /too large/,
      () => signRecord(key, { value: `${VALUE}/${"x".repeat(5_200)}` }),
    ],
    [
      "one that leads to no content",
      /no content/,
      () => signAnything(key, { Value: text("http://evil.example/") }),
    ],
    ["one that climbs", /no content/, () => signAnything(key, { Value: text(`${VALUE}/../..`) })],
    [
      "one that is no text",
      /not of the form of a record/,
      () => signAnything(key, { Value: Buffer.of(0x2f, 0xff, 0xfe) }),
    ],
    ["one without a value", /field is missing/, () => signAnything(key, { Value: undefined })],
    [
      "one without a sequence",
      /number is missing/,
      () => signAnything(key, { Sequence: undefined }),
    ],
    ["a negative sequence", /negative/, () => signAnything(key, { Sequence: -1 })],
    ["a negative TTL", /negative/, () => signAnything(key, { TTL: -1 })],
    [
      "a validity nobody can read",
      /expired/,
      () => signAnything(key, { Validity: text("tomorrow") }),
    ],
    [
      "a kind of validity nobody knows",
      /validity type/,
      () => signAnything(key, { ValidityType: 1 }),
    ],
    ["the first version alone", /Missing signatureV2/, async () => {
      const { data: _, signatureV2: __, ...first } = IPNSEntry.decode(await signRecord(key));
      return IPNSEntry.encode(first);
    }],
    ["no signed data", /data is missing/, async () => {
      const { data: _, ...others } = IPNSEntry.decode(await signRecord(key));
      return IPNSEntry.encode(others);
    }],
    [
      "two versions that contradict each other",
      /did not match/,
      async () =>
        beside(await signRecord(key), { value: text(OTHER_VALUE) as Uint8Array<ArrayBuffer> }),
    ],
    ["a signature of something else", /verification failed/, async () => {
      const { signatureV2 } = IPNSEntry.decode(await signRecord(key, { value: OTHER_VALUE }));
      return beside(await signRecord(key), { signatureV2: signatureV2! });
    }],
  ];
  for (const [what, why, make] of refused) {
    test(`refuses ${what}`, async () => {
      const bytes = await make();
      assert.match(String(await thrown(check(bytes))), why);
    });
  }

  test("refuses a record of a key whose kind nobody knows, with a sentence", async () => {
    const kindless = CID.createV1(
      LIBP2P_KEY,
      identity.digest(
        Buffer.concat([Buffer.of(0x08, 0x05), key.publicKey.toProtobuf().subarray(2)]),
      ),
    );
    const why = String(await thrown(check(await signRecord(key), kindless)));
    assert.match(why, /key is of a kind that is not known/);
  });

  test("a name that is a hash of a key believes that key alone", async () => {
    const publicKey = key.publicKey.toProtobuf() as Uint8Array<ArrayBuffer>;
    const hashed = CID.createV1(LIBP2P_KEY, await sha256.digest(publicKey));
    const record = await check(await signAnything(key, {}, { publicKey }), hashed);
    assert.is(record.value, VALUE);
    // it comes back as it was, with the key, for the next reader
    assert.is((await check(record.bytes, hashed)).value, VALUE);

    const theirs = stranger.publicKey.toProtobuf() as Uint8Array<ArrayBuffer>;
    const forged = await signAnything(stranger, { Sequence: 9 }, { publicKey: theirs });
    assert.match(String(await thrown(check(forged, hashed))), "another key");
    assert.instance(await thrown(check(await signAnything(key, {}), hashed)), Error);
  });

  test("the higher sequence counts, then the longer validity", async () => {
    const make = async (sequence: bigint, lifetime: number) =>
      readRecord(await signRecord(key, { sequence, lifetime }));
    const [old, long, next] = [await make(9n, 1e6), await make(9n, 2e6), await make(10n, 1e5)];
    assert.ok(replaces(old!, undefined));
    assert.ok(replaces(long!, old) && !replaces(old!, long));
    assert.ok(replaces(next!, long) && !replaces(long!, next));
    assert.not(replaces(old!, old));
  });
});
