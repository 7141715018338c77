/** A chain of versions, walked by somebody who trusts none of it. */
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { history, type ListedVersion } from "../../src/site/history.ts";
import { signVersion } from "../../src/site/version.ts";
import { addChain, FIRST } from "../helpers/chain.ts";
import { refusal, thrown } from "../helpers/failure.ts";
import { createMemoryBlocks, DAG_CBOR, type MemoryBlocks } from "../helpers/memory-blocks.ts";
import { createKeychain, nameOf } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";

const keychain = createKeychain();
const key = await keychain.generateKey("ours");
const stranger = await keychain.generateKey("a stranger's");
const NOTES = [{ note: "one" }, { note: "two" }, { note: "three" }, { note: "four" }];

const walk = (blocks: MemoryBlocks, cid: CID, number: number, limit?: number) =>
  history(blocks, { cid, number }, { key: nameOf(key), keychain, limit });

/** What is told before a walk ends, and the failure that ends it. */
async function told(
  versions: AsyncIterable<ListedVersion>,
  code: "VERSION_INVALID" | "VERSION_MISSING",
) {
  const numbers: number[] = [];
  const error = await refusal(code, async () => {
    for await (const { number } of versions) numbers.push(number);
  });
  return { numbers, error };
}

suite("site/history", (test) => {
  test("every version, the newest first, and none is read that nobody asks for", async () => {
    const blocks = createMemoryBlocks();
    const cids = await addChain(blocks, key, NOTES);
    const seen: ListedVersion[] = [];
    for await (const version of walk(blocks, cids[3]!, 4)) seen.push(version);
    assert.equal(seen.map(({ number, note }) => [number, note]), [
      [4, "four"],
      [3, "three"],
      [2, "two"],
      [1, "one"],
    ]);
    assert.equal(seen.map(({ cid }) => cid), cids.toReversed());

    blocks.asked.length = 0;
    for await (const { number } of walk(blocks, cids[3]!, 4, 2)) assert.ok(number >= 3);
    assert.is(blocks.asked.length, 2);
  });

  test("a hole: what came after it is told", async () => {
    const blocks = createMemoryBlocks();
    const cids = await addChain(blocks, key, NOTES);
    await blocks.store.delete(cids[1]!);
    const { numbers, error } = await told(walk(blocks, cids[3]!, 4), "VERSION_MISSING");
    assert.equal(numbers, [4, 3]);
    assert.match(error.message, `version 2 of the site (${cids[1]})`);
    assert.ok(error.hint);
  });

  test("a number that is left out, and one that the record does not say", async () => {
    const blocks = createMemoryBlocks();
    const cids = await addChain(blocks, key, [{}, {}, { number: 4 }]);
    const gap = await told(walk(blocks, cids[2]!, 4), "VERSION_INVALID");
    assert.equal(gap.numbers, [4]);
    assert.match(gap.error.message, "says that it is number 2, and version 4 that it is 3");
    const other = await told(walk(blocks, cids[2]!, 3), "VERSION_INVALID");
    assert.equal(other.numbers, []);
    assert.match(
      other.error.message,
      "says that it is number 4, and the site's record that it is 3",
    );
  });

  test("another signer in the middle, and a broken signature", async () => {
    const blocks = createMemoryBlocks();
    const [first] = await addChain(blocks, key, [{}]);
    const version = { ...FIRST, number: 2, previous: first! };
    const foreign = await signVersion(stranger, version);
    await blocks.put(DAG_CBOR, foreign.block);
    const last = await signVersion(key, { ...FIRST, number: 3, previous: foreign.cid });
    const cid = await blocks.put(DAG_CBOR, last.block);
    const { numbers, error } = await told(walk(blocks, cid, 3), "VERSION_INVALID");
    assert.equal(numbers, [3]);
    assert.match(error.message, "another key");

    const { block } = await signVersion(key, version);
    // the last byte of the block is the signer's: the signature stands before it
    const at = block.findIndex((byte, i) => byte === 0x58 && block[i + 1] === 64) + 10;
    block[at]! ^= 1;
    const broken = await told(
      walk(blocks, await blocks.put(DAG_CBOR, block), 2),
      "VERSION_INVALID",
    );
    assert.match(broken.error.message, "broken signature");
  });

  test("a circle, which only a liar about hashes can close, is left", async () => {
    const blocks = createMemoryBlocks();
    const cids = await addChain(blocks, key, NOTES);
    const last = await signVersion(key, { ...FIRST, number: 4, previous: cids[2]! });
    await blocks.store.put(cids[1]!, last.block); // 4 → 3 → 4 → …
    const { numbers } = await told(walk(blocks, cids[3]!, 4), "VERSION_INVALID");
    assert.equal(numbers, [4, 3]);
  });

  test("one that never ends is not walked for ever", async () => {
    // Each version is made when it is asked for; there is always one before it.
    const { publicKey } = key;
    const forger = Object.create(key, {
      publicKey: { value: publicKey },
      sign: { value: () => new Uint8Array(64) },
    });
    const believer = Object.create(publicKey, { verify: { value: () => true } });
    const keychain = { loadPublicKeyFromProtobuf: () => Promise.resolve(believer) };
    let walked = 0;
    const start = 2 ** 40;
    const previous = (await signVersion(key, FIRST)).cid;
    const endless = createMemoryBlocks();
    endless.get = async () => {
      const number = start - walked++;
      return (await signVersion(forger, { ...FIRST, number, previous })).block;
    };
    const head = { cid: previous, number: start };
    for await (const { number } of history(endless, head, { key: nameOf(key), keychain })) {
      assert.ok(number > 0);
    }
    assert.is(walked, 10_000);
  });

  test("an abort ends it, with its reason", async () => {
    const blocks = createMemoryBlocks();
    const cids = await addChain(blocks, key, NOTES);
    const stop = new AbortController();
    const reason = new Error("enough");
    const options = { key: nameOf(key), keychain, signal: stop.signal };
    const versions = history(blocks, { cid: cids[3]!, number: 4 }, options);
    await versions.next();
    stop.abort(reason);
    assert.is(await thrown(versions.next()), reason);
  });
});
