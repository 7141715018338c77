/** Peers that send wrong bytes, in every way we know: the hash notices, the read completes from somebody else. */
import { multiaddr } from "@multiformats/multiaddr";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { type Block, concat, encodeMessage, frame, prefixOf } from "../helpers/bitswap-wire.ts";
import { thrown } from "../helpers/failure.ts";
import { createLiar, type Liar, type Lie } from "../helpers/liar.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const text = (words: string) => new TextEncoder().encode(words);
const RIGHT = text("what the page says");
const WRONG = text("what the page never said");
const LIE = text("what no page says");
const [RIGHT_CID, WRONG_CID, LIE_CID] = await Promise.all([RIGHT, WRONG, LIE].map(cidOf));

/** Ways to send a wrong block, each of which has to end the acquaintance. */
const LIES: Record<string, (wanted: CID) => Block[]> = {
  "other bytes under the name that was asked for": (cid) => [block(prefixOf(cid), WRONG)],
  "a block that is cut short": (cid) => [block(prefixOf(cid), RIGHT.subarray(0, -1))],
  "an empty block": (cid) => [block(prefixOf(cid), new Uint8Array())],
  "a thousand blocks that nobody wants": (cid) =>
    Array.from({ length: 1_000 }, (_, i) => block(prefixOf(cid), text(`flood ${i}`))),
  "a name with an unknown hash function": () => [block(concat(1, raw.code, 0x99, 32), WRONG)],
  "a name with a digest too short to mean anything": () => [
    block(concat(1, raw.code, sha256.code, 4), WRONG),
  ],
  "a name that cannot be one": () => [block(concat(0, raw.code, sha256.code, 32), WRONG)],
  "no name at all": () => [block(new Uint8Array(), WRONG)],
};

/** Frames that are no bitswap message. They hurt nobody, and no hash says who wrote them. */
const NOISE: Record<string, Lie> = {
  "garbage": () => frame(text("this is no message of any protocol")),
  "a message over the size limit": () => frame(new Uint8Array(4 * 1024 * 1024 + 1)),
  "a length without an end": () => new Uint8Array(64).fill(0xff),
  "silence": () => undefined,
};

suite("liar", (test) => {
  for (const [title, lie] of Object.entries(LIES)) {
    test(`${title}: it is asked no more, and the read completes from another`, async () => {
      await using liar = await createLiar((cid) => frame(encodeMessage({ blocks: lie(cid) })));
      await using honest = await createLoopbackNode();
      await using reader = await createLoopbackNode();
      await acquaint(reader, liar);

      const reading = start(reader.blocks.get(RIGHT_CID!));
      await until("the liar is hung up on", () => liar.asked.length > 0 && isAlone(reader));
      await honest.helia.blockstore.put(RIGHT_CID!, RIGHT);
      await reader.meet(honest);

      assert.equal(await reading, RIGHT);
      assert.equal(await stored(reader), [RIGHT_CID!.toString()]);
      assert.equal(reader.peers, [honest.id]);
      assert.is(reader.told.length, 1);
      assert.match(reader.told[0]!, new RegExp(`^${liar.id} is not asked any more: it sent `));
      await isRefused(reader, liar);
    });
  }

  for (const [title, lie] of Object.entries(NOISE)) {
    test(`${title}: the read completes from another`, async () => {
      await using liar = await createLiar(lie);
      await using honest = await createLoopbackNode();
      await using reader = await createLoopbackNode();
      await acquaint(reader, liar);
      await honest.helia.blockstore.put(RIGHT_CID!, RIGHT);

      const reading = start(reader.blocks.get(RIGHT_CID!));
      await until("the liar was asked", () => liar.asked.length > 0);
      await reader.meet(honest);

      assert.equal(await reading, RIGHT);
      assert.equal(await stored(reader), [RIGHT_CID!.toString()]);
    });
  }

  test("a right block that comes late, twice or under another codec is no lie", async () => {
    await using slow = await createLiar(() => undefined);
    await using reader = await createLoopbackNode();
    await acquaint(reader, slow);
    // This want stays open: blocks from a peer that was asked something are judged.
    using open = wanting(reader, WRONG_CID!);
    {
      using _ended = wanting(reader, RIGHT_CID!);
      await until("both blocks are asked for", () => slow.asked.length === 2);
    }
    await until("one want is over", () => bitswapOf(reader).wantList.wants.size === 1);

    const late = CID.createV1(0x70, RIGHT_CID!.multihash);
    const send = (cid: CID) =>
      slow.send(reader.helia.libp2p.peerId, blocks([block(prefixOf(cid), RIGHT)]));
    await send(RIGHT_CID!);
    await send(late);
    await send(late.toV0());
    // Judged in the order in which they come: when the lie at the end is noticed, the rest was heard and let pass.
    assert.equal(reader.peers, [slow.id]);
    assert.equal(reader.told, []);
    await slow.send(reader.helia.libp2p.peerId, blocks([block(prefixOf(LIE_CID!), LIE)]));
    await until("the lie is noticed", () => isAlone(reader));
    assert.match(reader.told.join(), LIE_CID!.toString());
    assert.not(open.done);
  });

  test("what its former self asked for may reach a node that has just started", async () => {
    await using slow = await createLiar(() => undefined);
    await using reader = await createLoopbackNode();
    await acquaint(reader, slow);
    let heard = 0;
    bitswapOf(reader).network.addEventListener("bitswap:message", () => heard++);
    await slow.send(reader.helia.libp2p.peerId, blocks([block(prefixOf(WRONG_CID!), WRONG)]));
    await until("the message is heard", () => heard > 0);
    await new Promise((resolve) => setTimeout(resolve, 50)); // the time to hash a few bytes
    assert.equal(reader.peers, [slow.id]);
    assert.equal(await stored(reader), []);
  });
});

function block(prefix: Uint8Array, data: Uint8Array): Block {
  return { prefix, data };
}

function blocks(blocks: Block[]): Uint8Array {
  return frame(encodeMessage({ blocks }));
}

async function cidOf(bytes: Uint8Array): Promise<CID> {
  return CID.createV1(raw.code, await sha256.digest(bytes));
}

/** Work that a test waits for later, if it comes so far. */
function start<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

/** Connects the two, and waits until both know. */
async function acquaint(reader: LoopbackNode, liar: Liar): Promise<void> {
  await reader.meet(liar);
  await until("the liar is connected", () => liar.libp2p.getConnections().length > 0);
}

/** Wants a block until it leaves scope; it is not to come. */
function wanting({ helia }: LoopbackNode, cid: CID): Disposable & { readonly done: boolean } {
  const stop = new AbortController();
  let done = false;
  const got = (async () => {
    for await (const _ of helia.blockstore.get(cid, { signal: stop.signal })) done = true;
  })();
  got.catch(() => undefined); // aborted, as it should be
  return {
    get done() {
      return done;
    },
    [Symbol.dispose]: () => stop.abort(),
  };
}

function isAlone({ peers }: LoopbackNode): boolean {
  return peers.length === 0;
}

/** Everything on the reader's disk; files are named by hash alone. */
async function stored({ helia }: LoopbackNode): Promise<string[]> {
  const all: string[] = [];
  for await (const { cid } of helia.blockstore.getAll()) {
    all.push(CID.createV1(raw.code, cid.multihash).toString());
  }
  return all;
}

/** Neither of the two can reach the other any more. */
async function isRefused(reader: LoopbackNode, liar: Liar): Promise<void> {
  assert.is((await thrown(reader.meet(liar)) as Error).name, "DialDeniedError");
  await liar.libp2p.dial(multiaddr(reader.addresses[0]!)).catch(() => "refused while dialling");
  await until("the liar has no connection", () => liar.libp2p.getConnections().length === 0);
  assert.not(reader.peers.includes(liar.id));
}

interface Bitswap {
  network: EventTarget;
  wantList: { wants: Map<string, unknown> };
}

function bitswapOf({ helia }: LoopbackNode): Bitswap {
  const { blockBrokers } = helia as unknown as {
    blockBrokers: { name: string; bitswap?: Bitswap }[];
  };
  return blockBrokers.find(({ name }) => name === "bitswap")!.bitswap!;
}
