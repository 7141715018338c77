/** What can go wrong while a followed site is brought up to date: the version before stays until the next is here whole. */
import { join } from "node:path";
import type { GossipSub } from "@libp2p/gossipsub";
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { addFolder } from "../../src/content/write.ts";
import { readRecord } from "../../src/name/record.ts";
import type { Node } from "../../src/node.ts";
import { topicOf } from "../../src/routing/push.ts";
import { createDisk, mountAvailable } from "../helpers/disk.ts";
import { createFolder } from "../helpers/folder.ts";
import { createFollowedSite, inForce } from "../helpers/followed-site.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { startNode } from "../helpers/program.ts";
import { createRandom } from "../helpers/random.ts";
import { SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const MIB = 1024 * 1024;

/** How long a record is valid that is to expire soon, in milliseconds: long enough to be taken before. */
const SHORT_MS = 4_000;

suite("site/follow, trouble", (test, left) => {
  test("killed in mid-update, it has the version before, and the next as soon as it meets somebody", async () => {
    // First, so that it goes last: the reader below is the site's, and writes there until its end.
    await using folder = await createFolder();
    await using site = await createFollowedSite({ "index.html": "one" });
    const dir = join(folder.path, "node");
    const words = ["follow", SITE, "--download", "500k"];
    const place = ["--no-mdns", "--listen", "/ip4/127.0.0.1/tcp/0"];
    const known = ["--peer", site.seeder.address, "--name-map", `${SITE}:/ipns/${site.key}`];
    const program = await startNode(words, { dir, place: [...place, ...known] });
    await program.events.until("follow:version");
    await site.publish({ "index.html": "two", "big.bin": createRandom(1).bytes(4 * MIB) });
    await program.events.until("follow:progress", { where: { number: 2 } });
    program.kill("SIGKILL");
    await program.exit;

    const after = await site.reader({ dir, alone: true });
    assert.is(await inForce(after, site.key), 1);
    assert.is(await after.page("index.html"), "one");
    await after.meet(site.seeder);
    await after.version(2);
    assert.is(await after.page("index.html"), "two");
  });

  test("a version of which nobody has a part is waited for, and the one before it served, over a restart", async () => {
    await using folder = await createFolder(); // it goes after the node that writes into it
    await using site = await createFollowedSite({ "index.html": "one" });
    const where = { dir: join(folder.path, "node"), timeout: 300 };
    const before = await site.reader({ keep: 1, ...where });
    await before.version(1);
    const published = site.published;
    // Its publisher has lost all but the root of it.
    const { names, helia } = site.seeder;
    await using files = await createFolder({ "index.html": "two" });
    await using elsewhere = await createLoopbackNode();
    const { cid } = await addFolder(elsewhere.helia.blockstore, files.path);
    await helia.blockstore.put(cid, await elsewhere.blocks.get(cid));
    await names.publish(`_dnslink.${SITE}`, cid);
    const stays = async ({ events, page, names }: typeof before) => {
      await until("it says so", () => events.some(({ type }) => type === "trouble"));
      assert.is(await page("index.html"), "one");
      const { value } = await names.resolve(parseKey(site.key)!);
      assert.is(value, `/ipfs/${published.cid}`);
    };
    await stays(before);
    await before.stop();
    const after = await site.reader({ ...where, alone: true });
    await after.meet(site.seeder); // it is asking already
    await stays(after);
    await site.publish({ "index.html": "three" });
    await after.version(2);
    assert.is(await after.page("index.html"), "three");
  });

  test("junk is neither passed on nor does it disturb, and whoever goes on with it is hung up on", async () => {
    await using site = await createFollowedSite({ "index.html": "one" });
    const key = parseKey(site.key)!;
    const topic = topicOf(key);
    const follower = await site.reader({ keep: 1 });
    await follower.version(1);
    const first = (await follower.names.record(key, { local: true })).bytes;
    await site.publish({ "index.html": "two" });
    await follower.version(2);
    // One who listens to all that it is sent, and one who sends anything.
    await using witness = await createLoopbackNode();
    const heard: Uint8Array[] = [];
    listenTo(pubsubOf(witness), topic, (bytes) => heard.push(bytes));
    await witness.meet(follower);
    await using enemy = await createLoopbackNode();
    const mouth = pubsubOf(enemy);
    mouth.topicValidators = new Map();
    mouth.subscribe(topic);
    await enemy.meet(follower);
    await until("all listen", () =>
      mouth.getSubscribers(topic).length === 1 &&
      pubsubOf(follower).getSubscribers(topic).length === 3);

    const foreign = await foreignRecord(enemy);
    for (const bytes of [new Uint8Array(100), first, foreign]) await mouth.publish(topic, bytes);
    await site.publish({ "index.html": "three" });
    await follower.version(3);
    await until("the witness heard of version 3", () => heard.length > 0);
    assert.equal(heard.map((bytes) => readRecord(bytes).number), [3]);
    assert.ok(follower.peers.includes(enemy.id), "a little junk is borne");

    const random = createRandom(1);
    for (let i = 0; i < 300 && enemy.peers.length > 0; i++) {
      await mouth.publish(topic, random.bytes(1_000));
    }
    await until("it is hung up on", () => !follower.peers.includes(enemy.id));
    assert.match(follower.told.join("\n"), /is not asked any more: it sends IPNS records/);
    await site.publish({ "index.html": "four" });
    await follower.version(4);
    await until("the witness heard of version 4", () => heard.length > 1);
    assert.is(heard.length, 2);
  });

  test("who comes back when their record has expired takes the next version, and has nothing to complain of", async () => {
    await using folder = await createFolder(); // it goes after the node that writes into it
    await using site = await createFollowedSite({ "index.html": "one" });
    await site.publish({}, { lifetime: SHORT_MS });
    const before = await site.reader({ keep: 1, dir: folder.path });
    await before.version(1);
    await before.stop();
    await new Promise((resolve) => setTimeout(resolve, SHORT_MS));
    await site.publish({ "index.html": "two" });
    const after = await site.reader({ dir: folder.path, alone: true });
    await after.meet(site.seeder); // it is asking already
    await after.version(2);
    assert.is(await after.page("index.html"), "two");
    assert.equal(after.events.filter(({ type }) => type === "trouble"), []);
  });

  const why = mountAvailable();
  if (why) return left("a full disk in mid-update", why);

  test("a full disk in mid-update is told, the version before stays, and room is all that is needed", async () => {
    await using disk = await createDisk("12m");
    await using site = await createFollowedSite({ "index.html": "one" });
    const follower = await site.reader({ keep: 1, dir: join(disk.path, "node") });
    await follower.version(1);
    await site.publish({ "index.html": "two", "big.bin": createRandom(1).bytes(20 * MIB) });
    await until("it is told", () => follower.events.some(({ type }) => type === "trouble"));
    const [trouble] = follower.events.filter((event) => event.type === "trouble");
    assert.match(trouble!.text, /disk .* is full\. .* Version 1 stays/);
    assert.is(await inForce(follower, site.key), 1);
    assert.is(await follower.page("index.html"), "one");

    disk.remount("size=64m");
    await follower.version(2, 40_000);
    assert.is(await follower.page("index.html"), "two");
  });
});

function pubsubOf({ helia }: Node): GossipSub {
  return helia.libp2p.services.pubsub!;
}

/** Subscribes without a check of what comes. */
function listenTo(pubsub: GossipSub, topic: string, told: (bytes: Uint8Array) => void): void {
  pubsub.topicValidators = new Map();
  pubsub.addEventListener("message", ({ detail }) => {
    if (detail.topic === topic) told(detail.data);
  });
  pubsub.subscribe(topic);
}

/** A valid record of another key. */
async function foreignRecord(node: Node): Promise<Uint8Array> {
  const { cid } = await node.locate("/ipfs/bafkqad2imvwgy3zmebzgkylemvzcccq").then(({ found }) =>
    found
  );
  const key = await node.names.publish("other", cid);
  return (await node.names.record(key, { local: true })).bytes;
}
