/** IPNS records between real nodes: published here, read there, and handed on by whoever has read them. */
import { Buffer } from "node:buffer";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { peerIdFromString } from "@libp2p/peer-id";
import * as assert from "uvu/assert";
import type { Node } from "../../src/node.ts";
import { LIFETIME_MS } from "../../src/name/ipns.ts";
import { readRecord } from "../../src/name/record.ts";
import { createIpnsRecords } from "../../src/store/ipns.ts";
import { Records } from "../../src/store/records.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode, untilPeers } from "../helpers/loopback-node.ts";
import { nameOf, OTHER_VALUE, signRecord, VALUE } from "../helpers/signer.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const A = CID.parse(VALUE.slice("/ipfs/".length));
const B = CID.parse(OTHER_VALUE.slice("/ipfs/".length));
const SITE = "docs.example.org";
const DAY_MS = 86_400_000;

type Answer = () => Promise<Uint8Array | undefined>;

/** Makes a node answer with whatever the test says instead of what it has. */
function answers(node: Node, answer: Answer): void {
  const { fetch } = node.helia.libp2p.services;
  fetch.unregisterLookupFunction("/ipns/");
  fetch.registerLookupFunction("/ipns/", answer);
}

/** What a node hands to whoever asks it for a key's record. */
function ask(reader: Node, neighbour: Node, key: string | Uint8Array) {
  const { fetch } = reader.helia.libp2p.services;
  return fetch.fetch(peerIdFromString(neighbour.id), key);
}

const routingKey = (key: CID) =>
  new Uint8Array([...new TextEncoder().encode("/ipns/"), ...key.multihash.bytes]);

suite("routing/records", (test) => {
  test("a reader gets the newest version, and hands it on when its publisher is gone", async () => {
    await using files = await createFolder();
    await using reader = await createLoopbackNode();
    let key: CID;
    {
      await using publisher = await createLoopbackNode({
        dir: files.path,
        peers: [reader.address],
      });
      key = await publisher.names.publish(SITE, A);
      await untilPeers(reader, 1);
      assert.equal(await reader.names.resolve(key), { value: VALUE, ttl: 60 });
      await publisher.names.publish(SITE, B);
      assert.is((await reader.names.resolve(key)).value, OTHER_VALUE);
      const { chain, stale } = await reader.resolve(`/ipns/${key.toString(base36)}/a`);
      assert.equal([chain.at(-1), stale], [`${OTHER_VALUE}/a`, false]);
    }
    await using next = await createLoopbackNode({ peers: [reader.address] });
    assert.is((await next.names.resolve(key)).value, OTHER_VALUE, "it waits for its neighbour");

    // the publisher comes back, and goes on where it was
    await using publisher = await createLoopbackNode({ dir: files.path, peers: [next.address] });
    assert.equal(await publisher.names.publish(SITE, A), key);
    await untilPeers(next, 2);
    assert.is((await next.names.resolve(key)).value, VALUE);
    assert.is(readRecord((await ask(next, publisher, routingKey(key)))!).sequence, 3n);
  });

  test("alone, a node uses the record that it has, also after a restart", async () => {
    await using files = await createFolder();
    let key: CID;
    {
      await using publisher = await createLoopbackNode();
      await using reader = await createLoopbackNode({
        dir: files.path,
        peers: [publisher.address],
      });
      key = await publisher.names.publish(SITE, A);
      await untilPeers(reader, 1);
      await reader.names.resolve(key);
    }
    await using reader = await createLoopbackNode({ dir: files.path });
    const started = Date.now();
    assert.equal(await reader.names.resolve(key), { value: VALUE, ttl: 60 });
    assert.ok(Date.now() - started < 2_500, "and does not wait for neighbours as if it had none");
  });

  test("among liars, the dumb and the late, a reader finds the newest true record", async () => {
    await using reader = await createLoopbackNode();
    await using publisher = await createLoopbackNode({ peers: [reader.address] });
    await using late = await createLoopbackNode({ peers: [reader.address] });
    await using liar = await createLoopbackNode({ peers: [reader.address] });
    await using silent = await createLoopbackNode({ peers: [reader.address] });
    const key = await publisher.names.publish(SITE, A);
    const ours = await publisher.helia.keychain.exportKey(SITE);
    const theirs = await liar.helia.keychain.generateKey("theirs");
    const old = await signRecord(ours, { sequence: 0n, value: OTHER_VALUE });
    answers(late, () => Promise.resolve(old));
    answers(silent, () => new Promise(() => undefined));
    await untilPeers(reader, 4);

    const huge = await signRecord(ours, { sequence: 9n, value: `${VALUE}/${"x".repeat(5_200)}` });
    const lies: [string, Answer][] = [
      ["garbage", () => Promise.resolve(new Uint8Array(200).fill(7))],
      ["expired", async () => await signRecord(ours, { sequence: 9n, lifetime: -1_000 })],
      ["another key's", async () => await signRecord(theirs, { sequence: 9n })],
      ["over 10 KiB", () => Promise.resolve(huge)],
      ["a million bytes", () => Promise.resolve(new Uint8Array(1_000_000))],
      ["an error", () => Promise.reject(new Error("broken"))],
      ["nothing", () => Promise.resolve(undefined)],
    ];
    for (const [what, answer] of lies) {
      answers(liar, answer);
      const started = Date.now();
      assert.equal(await reader.names.resolve(key), { value: VALUE, ttl: 60 }, what);
      assert.ok(Date.now() - started < 2_500, `${what}: nobody waits for the silent one`);
    }

    // one neighbour is a version ahead, whoever answers first
    const ahead = await signRecord(ours, { sequence: 2n, value: OTHER_VALUE });
    answers(late, async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return ahead;
    });
    assert.is((await reader.names.resolve(key)).value, OTHER_VALUE);
    answers(late, () => Promise.resolve(undefined));
    assert.is((await reader.names.resolve(key)).value, OTHER_VALUE, "and nobody takes it back");
  });

  test("where nobody has a valid record, it says what they had instead", async () => {
    await using reader = await createLoopbackNode();
    await using liar = await createLoopbackNode({ peers: [reader.address] });
    const signer = await liar.helia.keychain.generateKey("signer");
    const key = nameOf(signer);
    await untilPeers(reader, 1);

    assert.is((await failure(reader.names.resolve(key))).code, "IPNS_NOT_FOUND");
    answers(liar, () => new Promise(() => undefined));
    assert.is((await failure(reader.names.resolve(key))).code, "IPNS_NOT_FOUND", "silence");
    answers(liar, () => Promise.resolve(new Uint8Array(200)));
    assert.match((await failure(reader.names.resolve(key))).message, "broken");
    answers(liar, async () => await signRecord(signer, { lifetime: -1_000 }));
    const expired = await failure(reader.resolve(`/ipns/${key.toString(base36)}`));
    assert.equal([expired.code, expired.status], ["IPNS_INVALID", 502]);
    assert.match(expired.message, "has expired");
    assert.match(expired.hint!, "publisher");

    const reason = { why: "the reader has left" };
    answers(liar, () => new Promise(() => undefined));
    const stop = new AbortController();
    const lookup = reader.names.resolve(key, { signal: stop.signal });
    const started = Date.now();
    setTimeout(() => stop.abort(reason), 50);
    assert.is(await thrown(lookup), reason);
    assert.ok(Date.now() - started < 1_500, "at once");
  });

  test("a question that is none gets no record, and does no harm", async () => {
    await using asked = await createLoopbackNode();
    await using stranger = await createLoopbackNode({ peers: [asked.address] });
    const key = await asked.names.publish(SITE, A);
    await untilPeers(stranger, 1);
    for (const question of ["/ipns/", "/ipns/nonsense", "/other/key"]) {
      assert.instance(await thrown(ask(stranger, asked, question)), Error, question);
    }
    const unknown = nameOf(await stranger.helia.keychain.generateKey("unknown"));
    assert.is(await ask(stranger, asked, routingKey(unknown)), undefined);
    assert.ok(await ask(stranger, asked, routingKey(key)));
  });

  test("a node that starts signs its own old records anew, and no other's", async () => {
    await using files = await createFolder();
    await using reader = await createLoopbackNode();
    const stranger = await reader.helia.keychain.generateKey("stranger");
    const others = await signRecord(stranger, { sequence: 5n, lifetime: 5 * DAY_MS });
    let key: CID;
    {
      await using publisher = await createLoopbackNode({ dir: files.path });
      key = await publisher.names.publish(SITE, A);
      const ours = await publisher.helia.keychain.exportKey(SITE);
      const old = await signRecord(ours, { sequence: 7n, lifetime: 5 * DAY_MS });
      await publisher.stop();
      const records = new Records(files.path);
      createIpnsRecords(records).put(key.toString(base36), old);
      createIpnsRecords(records).put(nameOf(stranger).toString(base36), others);
      records.close();
    }
    await using publisher = await createLoopbackNode({ dir: files.path, peers: [reader.address] });
    await untilPeers(reader, 1);
    const published = async () => readRecord((await ask(reader, publisher, routingKey(key)))!);
    await until("it is signed anew", async () => (await published()).sequence !== 7n);
    const record = await published();
    assert.equal([record.sequence, record.value, record.ttl], [8n, VALUE, 60]);
    assert.ok(Math.abs(record.expires - Date.now() - LIFETIME_MS) < 60_000);
    const handedOn = await ask(reader, publisher, routingKey(nameOf(stranger)));
    assert.ok(Buffer.from(handedOn!).equals(others), "to the byte");
  });
});
