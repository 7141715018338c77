/** CAR files: what is taken in, what is refused, and what stays. */
import { Buffer } from "node:buffer";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { create } from "multiformats/hashes/digest";
import { identity } from "multiformats/hashes/identity";
import { sha256, sha512 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { importCar, type ImportOptions } from "../../src/content/car.ts";
import { type Block, block, car, car2, section, varint } from "../helpers/car.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { refusal } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

const MIB = 1024 * 1024;

/** An identity CID without content. */
const NOTHING = CID.createV1(0x55, identity.digest(new Uint8Array()));

const HASHERS = [sha256, sha512];

function hasher(code: number) {
  const found = HASHERS.find((hasher) => hasher.code === code);
  if (found === undefined) throw new Error(`no hasher ${code}`);
  return found;
}

/** In pieces, as a file comes from a disk. */
async function* pieces(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

function take(bytes: Uint8Array, options: ImportOptions = {}, size?: number) {
  const cids: string[] = [];
  const held = () => cids;
  const target = { put: (cid: CID) => (cids.push(String(cid)), cid) };
  const work = importCar(target, pieces(bytes, size), hasher, options);
  return { held, work };
}

suite("content/car", (test) => {
  test("takes in every block of a file, of either version, in pieces of any size", async () => {
    const [a, b] = [await block("first"), await block(new Uint8Array(MIB))];
    const file = car([a.cid, b.cid], [a, b]);
    const told: number[] = [];
    for (const bytes of [file, car2(file)]) {
      for (const size of [7, 4096, 10 * MIB]) {
        if (size === 7 && bytes.byteLength > MIB) continue;
        const { held, work } = take(bytes, {
          onProgress: ({ bytes }) => void told.push(bytes),
        }, size);
        const { roots, ...rest } = await work;
        assert.equal(roots.map(String), [String(a.cid), String(b.cid)]);
        assert.equal(rest, { blocks: 2, bytes: 5 + MIB });
        assert.equal(held(), [String(a.cid), String(b.cid)]);
      }
    }
    assert.equal(told.slice(0, 2), [5, 5 + MIB]);
    const small = car([], [a]);
    assert.is((await take(small, {}, 1).work).blocks, 1);
    assert.equal((await take(small).work).roots, []);
  });

  test("a file that is none, or is cut short: a sentence, and the whole blocks stay", async () => {
    const [a, b] = [await block("first"), await block("second")];
    const file = car([a.cid], [a, b]);
    const broken: [string, Uint8Array, number][] = [
      ["nothing", new Uint8Array(), 0],
      ["a page", Buffer.from("<!doctype html><title>404</title>"), 0],
      ["noise", Uint8Array.from({ length: 500 }, (_, i) => i * 7919 % 256), 0],
      ["zeros", new Uint8Array(500), 0],
      ["a version to come", section(dagCbor.encode({ version: 3, roots: [] })), 0],
      ["no list of roots", section(dagCbor.encode({ version: 1 })), 0],
      ["cut in a block", file.subarray(0, -1), 1],
      ["cut in a name", file.subarray(0, -"second".length - 10), 1],
      ["cut in a header", file.subarray(0, 20), 0],
      ["zeros behind it", Buffer.concat([file, new Uint8Array(8)]), 2],
      [
        "a block shorter than its name",
        Buffer.concat([
          car([], [a]),
          varint(4),
          // inside of which a careless reader goes on
          CID.createV1(0x55, identity.digest(section(NOTHING.bytes))).bytes,
        ]),
        1,
      ],
    ];
    for (const [what, bytes, whole] of broken) {
      const { held, work } = take(bytes);
      const error = await refusal("BAD_CAR", () => work);
      assert.match(error.message, /not a CAR file, or it is damaged/, what);
      assert.match(error.hint!, /the blocks that were read are kept/);
      assert.is(held().length, whole, what);
    }
  });

  test("a block that is not what its name says is refused, and so is all behind it", async () => {
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((text) => block(text)));
    const lie = { cid: b!.cid, bytes: a!.bytes };
    const { held, work } = take(car([a!.cid], [a!, lie, c!]));
    const error = await refusal("BAD_BLOCK", () => work);
    assert.match(error.message, String(b!.cid));
    assert.equal(held(), [String(a!.cid)]);
    // a hash cut short would fit many blocks
    const { digest } = await sha256.digest(c!.bytes);
    const short = CID.createV1(0x55, create(sha256.code, digest.subarray(0, 4)));
    await refusal("BAD_BLOCK", () => take(car([], [{ ...c!, cid: short }])).work);
  });

  test("a part that is larger than a block may be is refused before it is read", async () => {
    const whole = await block(new Uint8Array(2 * MIB));
    assert.is((await take(car([], [whole])).work).blocks, 1);
    const large = await block(new Uint8Array(2 * MIB + 1));
    const refused = async (bytes: AsyncIterable<Uint8Array>) => {
      const store = { put: () => assert.unreachable("it was stored") };
      const error = await refusal("BAD_CAR", () => importCar(store as never, bytes, hasher));
      assert.match(error.message, /larger than 2 MiB/);
    };
    await refused(pieces(car([], [large])));
    let given = 0;
    await refused((async function* () {
      yield car([], []);
      // ten gigabytes, as it says
      yield Buffer.concat([varint(10 * 1024 ** 3), large.cid.bytes]);
      for (;; given++) yield new Uint8Array(MIB);
    })());
    assert.ok(given < 4, `${given} MiB were read`);
  });

  test("a hash function that is not known is named; an identity CID has no block", async () => {
    const [a] = [await block("a")];
    const odd: Block = {
      cid: CID.createV1(0x55, create(0x1e, new Uint8Array(32))),
      bytes: a!.bytes,
    };
    const error = await refusal("UNSUPPORTED", () => take(car([], [a!, odd])).work);
    assert.match(error.message, /hash function that Nethood does not know/);
    const long = { cid: CID.createV1(0x55, await sha512.digest(a!.bytes)), bytes: a!.bytes };
    const own = { cid: CID.createV1(0x55, identity.digest(a!.bytes)), bytes: a!.bytes };
    const { held, work } = take(car([], [own, long]));
    assert.is((await work).blocks, 1);
    assert.equal(held(), [String(long.cid)]);
  });

  test("who stops it gets the reason, and what the disk says is not the file's fault", async () => {
    const a = await block("a");
    const stop = new AbortController();
    const why = new Error("Ctrl-C");
    stop.abort(why);
    const { work } = take(car([], [a]), { signal: stop.signal });
    await work.then(() => assert.unreachable(), (error) => assert.is(error, why));
    const eio = Object.assign(new Error("i/o error"), { code: "EIO" });
    // deno-lint-ignore require-yield
    const sick = (async function* () {
      throw eio;
    })();
    const reading = importCar({ put: (cid) => cid }, sick, hasher);
    await reading.then(() => assert.unreachable(), (error) => assert.is(error, eio));
  });

  test("a node pins what is below the roots, tells what is missing, and keeps it all", async () => {
    await using node = await createLoopbackNode();
    const [page, absent, loose] = await Promise.all(
      ["page", "absent", "loose"].map((t) => block(t)),
    );
    const folder = await block(dagCbor.encode({ page: page!.cid, absent: absent!.cid }), 0x71);
    const { roots, blocks, missing } = await node.import(
      pieces(car([folder.cid], [folder, page!, loose!])),
    );
    assert.equal([String(roots), blocks, missing], [String(folder.cid), 3, 1]);
    await node.helia.gc();
    const files = (await readdir(join(node.dir, "blocks"), { recursive: true })).filter((file) =>
      file.endsWith(".data")
    );
    // what no root leads to is nobody's
    assert.is(files.length, 2);
    const read = await node.blocks.get(page!.cid);
    assert.is(new TextDecoder().decode(read), "page");
  });
});
