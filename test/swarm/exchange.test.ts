/** One way for every read: who waits, for how long, and what is told when nobody has it. */
import { setTimeout as pause } from "node:timers/promises";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { identity } from "multiformats/hashes/identity";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { NethoodError } from "../../src/errors.ts";
import {
  createExchange,
  type Exchange,
  FETCH_TIMEOUT_MS,
  LONELY_TIMEOUT_MS,
  type Network,
} from "../../src/swarm/exchange.ts";
import type { DiskBlocks } from "../../src/store/blocks.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const BLOCK = new TextEncoder().encode("one part of a page");
const CID_OF_BLOCK = CID.createV1(raw.code, await sha256.digest(BLOCK));

suite("exchange", (test) => {
  test("many readers of one block make one fetch", async () => {
    const swarm = createSwarm();
    const { get } = exchange(swarm.store, swarm);
    const reads = [get(CID_OF_BLOCK), get(CID_OF_BLOCK), get(CID_OF_BLOCK)];
    await until("it is asked for", () => swarm.asked > 0);
    swarm.bring(BLOCK);
    assert.equal(await Promise.all(reads), [BLOCK, BLOCK, BLOCK]);
    assert.is(swarm.asked, 1);
    await until("what still looked for it is ended", () => swarm.ended === 1);
    // Nothing is left of it: who reads later, when the block is gone, asks anew.
    swarm.store.remove();
    assert.equal(await get(CID_OF_BLOCK), BLOCK);
    assert.is(swarm.asked, 2);
  });

  test("a block that came between the look for it and the wait for it is not waited for", async () => {
    const reads = [undefined, BLOCK, BLOCK].values();
    const swarm = { ...createSwarm(), isOffered: () => true };
    const read = () => Promise.resolve(reads.next().value);
    const { get } = exchange({ ...swarm.store, read }, swarm);
    assert.equal(await get(CID_OF_BLOCK), BLOCK);
  });

  test("a block that nobody has to read is brought here, told by its size, and read no more", async () => {
    const swarm = createSwarm();
    let reads = 0;
    const read = () => {
      reads++;
      return swarm.store.read(CID_OF_BLOCK);
    };
    const { bring } = exchange({ ...swarm.store, read }, swarm);
    const bringing = bring(CID_OF_BLOCK);
    await until("it is asked for", () => swarm.asked > 0);
    const before = reads;
    swarm.bring(BLOCK);
    assert.is(await bringing, BLOCK.byteLength);
    assert.is(reads, before);
    assert.is(await bring(CID_OF_BLOCK), BLOCK.byteLength, "it is here");
    assert.is(swarm.asked, 1);
    swarm.store.remove();
    assert.is((await failure(bring(CID_OF_BLOCK, { local: true }))).code, "NOT_CACHED");
  });

  test("a block that is removed as soon as it is here is told so, and not asked for again and again", async () => {
    const swarm = createSwarm();
    swarm.bring(BLOCK);
    const none = { read: () => Promise.resolve(undefined), sizeOf: () => undefined };
    const { get, bring } = exchange(none, swarm);
    for (const come of [get, bring]) {
      const error = await failure(come(CID_OF_BLOCK));
      assert.is(error.code, "NO_PROVIDERS");
      assert.match(error.message, "was removed");
    }
    assert.is(swarm.asked, 2);
  });

  test("one reader's abort leaves the others, and its reason passes through untouched", async () => {
    const swarm = createSwarm();
    const { get } = exchange(swarm.store, swarm);
    const gone = new AbortController();
    const [left, stayed] = [get(CID_OF_BLOCK, gone), get(CID_OF_BLOCK)];
    await until("it is asked for", () => swarm.asked > 0);
    const reason = new Error("the tab was closed");
    gone.abort(reason);
    assert.is(await thrown(left), reason);
    swarm.bring(BLOCK);
    assert.equal(await stayed, BLOCK);
    assert.is(await thrown(get(CID_OF_BLOCK, gone)), reason);
  });

  test("the last reader's abort ends the fetch, a while later", async () => {
    const swarm = createSwarm();
    const { get } = exchange(swarm.store, swarm, { linger: 200 });
    const gone = new AbortController();
    const reads = [get(CID_OF_BLOCK, gone), get(CID_OF_BLOCK, gone)];
    await until("it is asked for", () => swarm.asked > 0);
    gone.abort();
    await Promise.allSettled(reads);
    assert.is(swarm.ended, 0);
    await until("the fetch is over", () => swarm.ended === 1);

    const again = get(CID_OF_BLOCK);
    await until("it is asked for again", () => swarm.asked === 2);
    swarm.bring(BLOCK);
    assert.equal(await again, BLOCK);
  });

  test("who reloads at once gets what is on its way", async () => {
    const swarm = createSwarm();
    const { get } = exchange(swarm.store, swarm, { linger: 200 });
    const gone = new AbortController();
    const left = get(CID_OF_BLOCK, gone);
    await until("it is asked for", () => swarm.asked > 0);
    gone.abort();
    await thrown(left);
    const reload = get(CID_OF_BLOCK);
    await pause(400); // longer than a fetch goes on without a reader
    swarm.bring(BLOCK);
    assert.equal(await reload, BLOCK);
    assert.is(swarm.asked, 1);
  });

  test("a block that no connected peer sends is given up, and told so", async () => {
    for (
      const [peers, words] of [
        [1, "The one connected peer did not send it."],
        [7, "None of 7 connected peers sent it."],
      ] as const
    ) {
      const swarm = createSwarm(peers);
      const { get } = exchange(swarm.store, swarm, { timeout: 50 });
      const error = await failure(get(CID_OF_BLOCK));
      assert.is(error.code, "NO_PROVIDERS");
      assert.match(error.message, words);
      assert.match(error.message, CID_OF_BLOCK.toString());
      assert.match(error.hint!, "--peer");
    }
  });

  test("a block that somebody offers is waited for, however slow it comes", async () => {
    const swarm = createSwarm();
    let living = true;
    const { get } = exchange(swarm.store, { ...swarm, isOffered: () => living }, {
      timeout: 300,
    });
    const slow = get(CID_OF_BLOCK);
    await pause(1_200);
    swarm.bring(BLOCK);
    assert.equal(await slow, BLOCK);

    // but not by who falls silent: from then on it is as if nobody offered it
    const never = { ...createSwarm(), isOffered: () => living };
    const promised = exchange(never.store, never, { timeout: 300 }).get(CID_OF_BLOCK);
    setTimeout(() => living = false, 600);
    const began = Date.now();
    const error = await failure(promised);
    assert.ok(Date.now() - began >= 800, "it was given up while it was offered");
    assert.is(error.code, "NO_PROVIDERS");
    assert.match(
      error.message,
      /not on this machine\. Somebody offered it, and does not send it\./,
    );
  });

  test("a lonely node gives up sooner", async () => {
    const began = Date.now();
    const swarm = createSwarm(0);
    const { get } = exchange(swarm.store, swarm, { timeout: 12_000 });
    const error = await failure(get(CID_OF_BLOCK));
    const waited = Date.now() - began;
    assert.ok(waited >= LONELY_TIMEOUT_MS && waited < 12_000, `it waited ${waited} ms`);
    assert.is(error.code, "NO_PROVIDERS");
    assert.match(error.message, "No neighbour is connected.");
  });

  test("a full disk is not told as the neighbours' fault, nor an unknown hash", async () => {
    const full = new NethoodError("DISK_FULL", "The disk is full.");
    const told = async (error: unknown) => {
      const swarm = createSwarm(1);
      const { get } = exchange(swarm.store, { ...swarm, fetch: () => Promise.reject(error) });
      return await failure(get(CID_OF_BLOCK));
    };
    assert.is(await told(full), full);
    const unknown = Object.assign(new Error(), { name: "UnknownHashAlgorithmError" });
    assert.is((await told(unknown)).code, "UNSUPPORTED");
    assert.is((await told(new Error("bitswap stopped"))).code, "NO_PROVIDERS");
  });

  test("a node that stops tells who waits, at once", async () => {
    const began = Date.now();
    await using bystander = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    await reader.meet(bystander);
    const reading = failure(reader.blocks.get(CID_OF_BLOCK));
    await pause(50);
    await reader.stop();
    assert.is((await reading).code, "STOPPED");
    assert.is((await failure(reader.blocks.get(CID_OF_BLOCK))).code, "STOPPED");
    assert.ok(Date.now() - began < FETCH_TIMEOUT_MS);
  });

  test("an identity CID is its own block, up to 128 bytes", async () => {
    const swarm = createSwarm();
    const { get } = exchange(swarm.store, swarm);
    const inline = (bytes: number) =>
      CID.createV1(raw.code, identity.digest(new Uint8Array(bytes).fill(7)));
    assert.equal(await get(inline(128)), new Uint8Array(128).fill(7));
    assert.is((await failure(get(inline(129)))).code, "BAD_ADDRESS");
    assert.is(swarm.asked, 0);
  });

  test("a peer that arrives in the middle still serves the block", async () => {
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode();
    await seeder.helia.blockstore.put(CID_OF_BLOCK, BLOCK);
    const arrival = pause(100).then(() => seeder.meet(reader));
    const [block] = await Promise.all([reader.blocks.get(CID_OF_BLOCK), arrival]);
    assert.equal(block, BLOCK);
  });

  test("so it does for a reader that was disappointed a moment ago", async () => {
    await using bystander = await createLoopbackNode();
    await using seeder = await createLoopbackNode();
    await using reader = await createLoopbackNode({ timeout: 1_000 });
    await reader.meet(bystander);
    await seeder.helia.blockstore.put(CID_OF_BLOCK, BLOCK);
    assert.is(
      (await failure(reader.blocks.get(CID_OF_BLOCK))).code,
      "NO_PROVIDERS",
    );
    const arrival = pause(100).then(() => seeder.meet(reader));
    const [block] = await Promise.all([reader.blocks.get(CID_OF_BLOCK), arrival]);
    assert.equal(block, BLOCK);
  });
});

/** An exchange whose reads a test may leave behind when it fails earlier. */
function exchange(...parts: Parameters<typeof createExchange>): Pick<Exchange, "get" | "bring"> {
  const { get, bring } = createExchange(...parts);
  return {
    get: (cid, options) => {
      const read = Promise.resolve(get(cid, options));
      read.catch(() => undefined);
      return read;
    },
    bring,
  };
}

/** A network of one block, which comes into the store when the test says so. */
function createSwarm(peers = 3): Network & {
  readonly store: Pick<DiskBlocks, "read" | "sizeOf"> & { remove(): void };
  readonly asked: number;
  readonly ended: number;
  bring(block: Uint8Array): void;
} {
  const arrival = Promise.withResolvers<Uint8Array>();
  let [asked, ended] = [0, 0];
  let stored: Uint8Array | undefined;
  return {
    store: {
      read: (_cid, { signal } = {}) =>
        signal?.aborted ? Promise.reject(signal.reason) : Promise.resolve(stored),
      sizeOf: () => stored?.byteLength,
      remove: () => stored = undefined,
    },
    peers: () => peers,
    fetch(_cid, signal) {
      asked++;
      const aborted = Promise.withResolvers<never>();
      signal.addEventListener("abort", () => {
        ended++;
        aborted.reject(signal.reason);
      });
      const arrived = arrival.promise.then((block) => void (stored = block));
      return Promise.race([arrived, aborted.promise]);
    },
    expect: () => () => undefined,
    handed: () => undefined,
    isOffered: () => false,
    get asked() {
      return asked;
    },
    get ended() {
      return ended;
    },
    bring: arrival.resolve,
  };
}
