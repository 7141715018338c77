/** One version of a site: what is signed, and what is believed. */
import { decode, encode } from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { readVersion, signVersion, type Version } from "../../src/site/version.ts";
import { FIRST, ROOT, signNonsense } from "../helpers/chain.ts";
import { refusal } from "../helpers/failure.ts";
import { DAG_CBOR, DAG_PB } from "../helpers/memory-blocks.ts";
import { createKeychain, nameOf } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

const keychain = createKeychain();
const key = await keychain.generateKey("ours");
const stranger = await keychain.generateKey("a stranger's");

const cidOf = async (block: Uint8Array, codec = DAG_CBOR) =>
  CID.createV1(codec, await sha256.digest(block));
const read = async (block: Uint8Array, of: CID | undefined = nameOf(key)) =>
  await readVersion(await cidOf(block), block, { key: of, keychain });

suite("site/version", (test) => {
  test("what is signed is read again; the CID is that of a DAG-CBOR block", async () => {
    const first = await signVersion(key, FIRST);
    const version: Version = {
      number: 2,
      previous: first.cid,
      root: ROOT,
      time: 1_764_000_000_000,
      note: "Grüße, 読者!",
    };
    const { cid, block } = await signVersion(key, version);
    assert.equal(cid, await cidOf(block));
    assert.equal(await read(block), version);
    assert.equal(await read(first.block), FIRST);
    assert.equal(await readVersion(cid, block, { keychain }), version, "whoever's key it is");
    assert.equal(
      await read(await signNonsense(key, {})),
      FIRST,
      "signed as the specification says",
    );
    const { format, signer } = decode<Record<string, unknown>>(block);
    assert.equal([format, signer], [1, key.publicKey.toProtobuf()]);
  });

  test("the signature is one of a version, and of all that it says", async () => {
    const { block } = await signVersion(key, FIRST);
    const { signature, ...map } = decode<Record<string, unknown>>(block);
    const bare = await key.sign(encode(map));
    assert.match((await refused(encode({ ...map, signature: bare }))).message, "broken signature");
    const changes = { number: 2, previous: await cidOf(block), root: await cidOf(block) };
    for (const [name, value] of Object.entries({ ...changes, time: 7, note: "no" })) {
      const changed = { ...map, ...changes, [name]: value, signature };
      assert.match((await refused(encode(changed))).message, "broken signature", name);
    }
  });

  test("another key's version is refused, however well it is signed", async () => {
    const { block } = await signVersion(stranger, FIRST);
    assert.match((await refused(block)).message, "another key than the site's");
    assert.equal(await read(block, nameOf(stranger)), FIRST);
    // ours as the signer, with a stranger's signature
    const forged = await signNonsense(stranger, { signer: key.publicKey.toProtobuf() });
    assert.match((await refused(forged)).message, "broken signature");
  });

  test("a note has at most 1 KiB, of UTF-8", async () => {
    const long = "ü".repeat(512);
    assert.is((await read((await signVersion(key, { ...FIRST, note: long })).block)).note, long);
    await refusal("BAD_OPTION", () => signVersion(key, { ...FIRST, note: `${long}!` }));
    assert.match((await refused(await signNonsense(key, { note: `${long}!` }))).message, /form/);
  });

  const previous = ROOT.toV1() && CID.createV1(DAG_CBOR, ROOT.multihash);
  const odd: [string, Record<string, unknown>][] = [
    ["number 0", { number: 0, previous }],
    ["a number that is none", { number: 1.5 }],
    ["a number nobody can count to", { number: 2 ** 60, previous }],
    ["a first version with one before it", { previous }],
    ["a second version with none before it", { number: 2 }],
    ["a version before it that is no version", { number: 2, previous: ROOT }],
    ["no root", { root: undefined }],
    ["a root that is no CID", { root: "/ipfs/x" }],
    ["a time before all times", { time: -1 }],
    ["a time in words", { time: "today" }],
    ["no note", { note: undefined }],
    ["a signer in words", { signer: "me" }],
    ["what nobody knows", { extra: 1 }],
  ];
  for (const [what, fields] of odd) {
    test(`refuses ${what}`, async () => {
      assert.match(
        (await refused(await signNonsense(key, fields))).message,
        /form|could be checked/,
      );
    });
  }

  test("refuses what is no version at all, or is written in another way", async () => {
    const { block } = await signVersion(key, FIRST);
    await refused(new Uint8Array());
    await refused(new Uint8Array(100).fill(0xff));
    await refused(encode(null));
    await refused(encode([1, 2]));
    await refused(await signNonsense(key, { note: "x".repeat(9_000) }));
    // the same entries in another order: the same map, in another block
    const entries = Object.entries(decode<Record<string, unknown>>(block)).reverse();
    const spelled = entries.flatMap(([name, value]) => [...encode({ [name]: value }).subarray(1)]);
    const other = new Uint8Array([block[0]!, ...spelled]);
    assert.equal(decode(other), decode(block));
    assert.match((await refused(other)).message, "cannot be read");
    const wrong = await cidOf(block, DAG_PB);
    await refusal("VERSION_INVALID", () => readVersion(wrong, block, { keychain }));
  });

  test("a newer kind of version is no lie: update", async () => {
    assert.match((await refused(await signNonsense(key, { format: 2 }))).hint!, "Update");
  });
});

function refused(block: Uint8Array) {
  return refusal("VERSION_INVALID", () => read(block));
}
