/** What peers talk about: which blocks are in a group and in which order, and that there is an end to the talk. */
import { encode as encodePb } from "@ipld/dag-pb";
import * as dagCbor from "@ipld/dag-cbor";
import * as dagJson from "@ipld/dag-json";
import { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { sha256 } from "multiformats/hashes/sha2";
import * as assert from "uvu/assert";
import { type Group, groupKey, Groups, memberLinks } from "../../src/swarm/groups.ts";
import type { Member } from "../../src/swarm/members.ts";
import { Topics } from "../../src/swarm/topics.ts";
import { Wants } from "../../src/swarm/wants.ts";
import { utf8 } from "../helpers/bytes.ts";
import { DAG_CBOR, DAG_PB, RAW } from "../helpers/memory-blocks.ts";
import { suite } from "../helpers/suite.ts";

const DAG_JSON = 0x0129;
const name = async (text: string, code = RAW) =>
  CID.createV1(code, await sha256.digest(utf8(text)));
const [A, B, C, D] = await Promise.all(["a", "b", "c", "d"].map((text) => name(text)));
const pb = (...links: CID[]) =>
  encodePb({ Data: utf8("x"), Links: links.map((Hash, i) => ({ Hash, Name: `${i}`, Tsize: 1 })) });
const texts = (cids: Iterable<CID>) => [...cids].map(String);

suite("groups", (test) => {
  test("the members of a dag-pb node are its links, each once, in the order of the links", async () => {
    const P = await name("p", DAG_PB);
    const other = CID.createV1(DAG_PB, B!.multihash);
    assert.equal(texts(memberLinks(P, pb(C!, B!, C!, other, P, A!))), texts([C!, B!, A!]));
  });

  for (
    const [title, code, codec] of [
      ["dag-cbor", DAG_CBOR, dagCbor] as const,
      ["dag-json", DAG_JSON, dagJson] as const,
    ]
  ) {
    test(`the members of a ${title} document are in the order of their hashes, whatever the keys`, async () => {
      const P = await name("p", code);
      const order = (cids: CID[]) =>
        cids.map((cid) =>
          [...cid.multihash.bytes].map((b) => b.toString(16).padStart(2, "0")).join("")
        );
      const sorted = [A!, B!, C!, D!].sort((a, b) => order([a])[0]! < order([b])[0]! ? -1 : 1);
      for (const shuffled of [[A, B, C, D], [D, C, B, A], [C, A, D, B]] as CID[][]) {
        const [first, second, third, fourth] = shuffled;
        const document = codec.encode({
          "10": first,
          b: [second, { 7: third }],
          "": fourth,
          z: first,
        });
        assert.equal(texts(memberLinks(P, document)), texts(sorted));
      }
    });
  }

  test("a block that is broken, or of a codec without links, is alone", async () => {
    assert.equal(memberLinks(await name("p", DAG_PB), utf8("no node")), []);
    assert.equal(memberLinks(A!, pb(B!)), []);
  });

  test("a block with too many links is alone, one with as many as may be is not", async () => {
    const P = await name("p", DAG_CBOR);
    const digest = (i: number) => {
      const bytes = new Uint8Array(A!.multihash.bytes);
      new DataView(bytes.buffer).setUint32(2, i);
      return CID.decode(Uint8Array.of(1, RAW, ...bytes));
    };
    const links = Array.from({ length: 65_536 }, (_, i) => digest(i));
    assert.is(memberLinks(P, dagCbor.encode(links.slice(1))).length, 65_535);
    assert.is(memberLinks(P, dagCbor.encode(links)).length, 0);
  });

  test("a group is the same under both versions of a CID, and another under another codec", async () => {
    const groups = new Groups();
    const P = await name("p", DAG_PB);
    const group = groups.of(P);
    assert.is(groups.of(P.toV0()), group);
    const plain = groups.of(CID.createV1(RAW, P.multihash));
    assert.is.not(plain, group);
    assert.equal(plain.members, group.members);
    assert.equal(groups.named(group.members[0]!), [group, plain]);
  });

  test("a block has one number in all groups, until the last of them is dropped", async () => {
    const groups = new Groups();
    const [one, other] = [groups.of(await name("p", DAG_PB)), groups.of(await name("q", DAG_PB))];
    groups.reveal(one, pb(A!, B!));
    groups.reveal(other, pb(B!, C!));
    const shared = groups.number(B!)!;
    assert.equal(new Set(groups.drop(one)), new Set([one.members[0], one.members[1]]));
    assert.not(groups.has(one));
    assert.is(groups.number(B!), shared);
    assert.is(groups.number(A!), undefined);
    assert.throws(() => groups.cid(one.members[0]!), "no block has the number");
    assert.equal(groups.drop(one), []);
    const numbers = new Set(one.members);
    assert.ok(numbers.has(groups.of(D!).members[0]!), "a number is given again");
    assert.ok(groups.cid(shared).equals(B!));
  });

  test("who expected a block that has come does not unexpect the next one of its number", () => {
    const wants = new Wants();
    const leave = wants.expect(7);
    wants.satisfy(7);
    const leaveNext = wants.expect(7);
    leave();
    assert.ok(wants.has(7));
    leaveNext();
    assert.not(wants.has(7));
  });

  test("a want that fails is told, and is over", async () => {
    const wants = new Wants();
    const waiting = wants.wait(3);
    wants.expect(3);
    wants.fail(3, new Error("the disk is full"));
    assert.not(wants.has(3));
    assert.is(await waiting.promise.catch((error: Error) => error.message), "the disk is full");
  });

  test("an identity CID among the links is a member like any other", async () => {
    const inline = CID.createV1(RAW, identity.digest(utf8("inline")));
    assert.equal(texts(memberLinks(await name("p", DAG_PB), pb(A!, inline))), texts([A!, inline]));
  });
});

suite("topics", (test) => {
  const groupNamed = (key: string): Group => ({ cid: A!, key, members: [], known: false });
  const memberWith = (...groups: Group[]) =>
    ({ groups: new Map(groups.map((group) => [group.key, {}])) }) as unknown as Member;
  const many = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => groupNamed(`${prefix} ${i}`));

  /** Drops what is too much, and returns it. */
  const trim = (topics: Topics, members: Member[], wanted: Group[] = []) => {
    const dropped: Group[] = [];
    for (;;) {
      const group = topics.surplus(members, (group) => wanted.includes(group));
      if (group === undefined) return dropped;
      topics.delete(group);
      dropped.push(group);
    }
  };

  test("who brings up too much crowds out itself, not others and not what is read here", () => {
    const topics = new Topics();
    const [mine, honest] = [many("mine", 700), many("honest", 20)];
    const floods = [many("one", 1_024), many("two", 1_024)];
    mine.forEach((group) => topics.use(group));
    honest.forEach((group) => topics.raise(group));
    floods.flat().forEach((group) => topics.raise(group));
    const members = [memberWith(...honest), ...floods.map((flood) => memberWith(...flood))];
    const dropped = trim(topics, members);
    assert.is(dropped.length, 700 + 20 + 2_048 - 2_048);
    assert.ok(dropped.every((group) => floods.flat().includes(group)));
  });

  test("of what was read here the one that was not used for longest goes, but nothing that is wanted", () => {
    const topics = new Topics();
    const mine = many("mine", 770);
    mine.forEach((group) => topics.use(group));
    topics.use(mine[1]!);
    assert.equal(trim(topics, [], [mine[0]!]).map(({ key }) => key), ["mine 2", "mine 3"]);
  });

  test("what is brought up by a peer and then read here is not the peer's any more", () => {
    const topics = new Topics();
    const [group] = many("shared", 1);
    topics.raise(group!);
    topics.use(group!);
    topics.raise(group!);
    const flood = many("flood", 2_048);
    flood.forEach((other) => topics.raise(other));
    assert.equal(trim(topics, [memberWith(group!, ...flood)]), [flood[0]]);
    assert.equal([...topics.read], [group]);
  });

  test("the key of a group says codec and hash", () => {
    assert.is(groupKey(A!), groupKey(CID.decode(A!.bytes)));
    assert.is.not(groupKey(A!), groupKey(CID.createV1(DAG_PB, A!.multihash)));
  });
});
