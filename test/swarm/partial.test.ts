/** Peers that have a part, and come and go: each is asked for what it has, and nothing waits for who is gone. */
import * as assert from "uvu/assert";
import { WANTING } from "../../src/swarm/frame.ts";
import { createFileBlocks, readAll } from "../helpers/blocks-of-file.ts";
import { giver } from "../helpers/giver.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { suite } from "../helpers/suite.ts";
import { asked, bitsOf, createWirePeer, list, open } from "../helpers/swarm-wire.ts";
import { until } from "../helpers/until.ts";

const FILE = await createFileBlocks({ leaves: 12, size: 20_000 });
const ALL = FILE.members.length;

const names = (index: number) => ({ indices }: { indices: number[] }) => indices.includes(index);

suite("partial", (test) => {
  test("what a node has it offers, what it lacks it asks for, and nothing else", async () => {
    await using node = await createLoopbackNode();
    const has = (index: number) => index % 3 === 0;
    for (const [index, { cid, bytes }] of FILE.members.entries()) {
      if (has(index)) await node.helia.blockstore.put(cid, bytes);
    }
    await using seeder = await createWirePeer({ onFrame: giver([FILE]) });
    const wire = await seeder.meet(node);
    wire.say(open(FILE.root, ALL));
    assert.equal((await wire.hearOpen(FILE.root)).bits, bitsOf(ALL, has));
    assert.equal(await readAll(node, FILE), FILE.content);
    const lacking = FILE.members.map((_, index) => index).filter((index) => !has(index));
    assert.equal(asked(wire), lacking);
  });

  test("a reader that comes late, leaves and comes back is asked for what is missing still", async () => {
    await using node = await createLoopbackNode();
    const give = giver([FILE]);
    await using leaver = await createWirePeer({
      onFrame(wire, frame) {
        if (frame.type !== "request") return;
        give(wire, { ...frame, indices: frame.indices.filter((index) => index !== 3) });
      },
    });
    const first = await leaver.meet(node);
    first.say(open(FILE.root, ALL, bitsOf(ALL, (i) => i < 4), 0, WANTING));
    const reading = readAll(node, FILE);
    for (const index of [1, 2]) await first.hear("have", names(index));
    await first.hear("request", names(3));
    await leaver[Symbol.asyncDispose](); // with what it was asked for

    await using late = await createWirePeer({ onFrame: giver([FILE]) });
    const second = await late.meet(node);
    second.say(open(FILE.root, ALL, bitsOf(ALL, (i) => i === 0 || i === 3 || i > 6), 0, WANTING));
    assert.equal((await second.hearOpen(FILE.root)).bits, bitsOf(ALL, (i) => i < 3));
    await second.hear("have", names(3));
    for (let index = 7; index < ALL; index++) await second.hear("have", names(index));
    second.say(list("have", 0, 4, 5));
    for (const index of [4, 5]) await second.hear("have", names(index));
    // It breaks off and comes back over the connection that stands, with what it got meanwhile.
    const known = late.wires.length;
    second.stream.abort(new Error("a bad line"));
    if (late.id < node.id) await late.openStream(node);
    await until("they speak again", () => late.wires.length > known && !late.wires.at(-1)!.over);
    late.wires.at(-1)!.say(open(FILE.root, ALL, bitsOf(ALL, (i) => i === 0 || i > 5), 9, WANTING));
    assert.equal(await reading, FILE.content);
    assert.equal(asked(late.wires.at(-1)!), [6]);
    assert.equal(node.told, []);
  });
});
