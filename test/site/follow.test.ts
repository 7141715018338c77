/** Sites that are followed: what a publisher puts out is soon with those who follow it, whole, and stays with them. */
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { rotateKey } from "../../src/keys.ts";
import { createSeeder } from "../../src/seeder.ts";
import { refusal } from "../helpers/failure.ts";
import { createFakeTracker } from "../helpers/fake-tracker.ts";
import { createFolder } from "../helpers/folder.ts";
import { createFollowedSite, inForce, pageOf } from "../helpers/followed-site.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
import { SITE } from "../helpers/site.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

/** What is heard by push is here well before it would be asked for, in milliseconds. */
const PUSHED_MS = 5_000;

const DAY = 24 * 60 * 60 * 1000;

suite("site/follow", (test) => {
  test("three followers have a new version at once, whole; the publisher knows how many there are", async () => {
    await using site = await createFollowedSite({ "index.html": "one", "docs/a.txt": "a" });
    const { seeder, key } = site;
    const followers = await Promise.all([1, 2, 3].map(() => site.reader({ keep: 2 })));
    for (const follower of followers) await follower.version(1);
    await until("three follow", () => seeder.follower.followers(parseKey(key)!) === 3);

    await site.publish({ "index.html": "two" });
    for (const follower of followers) {
      const taken = await follower.version(2, PUSHED_MS);
      assert.is(String(taken.cid), String(site.published.cid));
      assert.is(await inForce(follower, key), 2);
    }
    await seeder.stop();
    for (const follower of followers) {
      assert.is(await follower.page("index.html"), "two");
      assert.is(await follower.page("docs/a.txt"), "a");
      assert.equal(follower.taken.map(({ number }) => number), [1, 2]);
    }
  });

  test("without push it is asked for as the TTL says", async () => {
    await using site = await createFollowedSite({ "index.html": "one" }, { ttl: 1_000 });
    const follower = await site.reader({ keep: 1, push: false });
    await follower.version(1);
    assert.is(site.seeder.follower.followers(parseKey(site.key)!), 0);
    await site.publish({ "index.html": "two" });
    await follower.version(2, 1_000 + PUSHED_MS);
    assert.is(await follower.page("index.html"), "two");
  });

  test("who was away during two versions has the newest when it meets anybody who has it", async () => {
    await using folder = await createFolder(); // it goes after the node that writes into it
    await using site = await createFollowedSite({ "index.html": "one" });
    const before = await site.reader({ keep: 3, dir: folder.path });
    await before.version(1);
    await before.stop();
    const other = await site.reader({ keep: 1 });
    await site.publish({ "index.html": "two" });
    await site.publish({ "index.html": "three" });
    await other.version(3, PUSHED_MS);
    await site.seeder.stop();

    const after = await site.reader({ dir: folder.path, alone: true });
    assert.is(await after.page("index.html"), "one");
    assert.equal((await after.follower.list()).map(({ version, keep }) => [version, keep]), [[
      1,
      3,
    ]]);
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // it has asked, and nobody was there
    await after.meet(other);
    await after.version(3, PUSHED_MS);
    assert.is(await after.page("index.html"), "three");
    // What the one was given by the other is told by that.
    const [{ given } = { given: 0 }] = await other.follower.list();
    assert.is(given, after.taken[0]!.fetched);
    assert.equal(after.taken.map(({ number }) => number), [3]);
  });

  test("an old version that is published again is an update, and moves no content", async () => {
    await using site = await createFollowedSite({ "index.html": "one" });
    const follower = await site.reader({ keep: 2 });
    await follower.version(1);
    await site.publish({ "index.html": "two" });
    await follower.version(2, PUSHED_MS);
    await createSeeder(site.seeder).rollback(SITE, 1);
    const { fetched, bytes } = await follower.version(3, PUSHED_MS);
    assert.equal([fetched, bytes > 0], [0, true]);
    assert.is(await follower.page("index.html"), "one");
  });

  test("the last versions stay readable; what only older ones had is let go", async () => {
    await using site = await createFollowedSite({ "shared.txt": "shared", "index.html": "one" });
    const follower = await site.reader({ keep: 2 });
    const { cid: first } = await follower.version(1);
    const pageOne = await follower.locate(`/ipns/${SITE}/index.html`, { local: true });
    const shared = await follower.locate(`/ipns/${SITE}/shared.txt`, { local: true });
    await site.publish({ "index.html": "two" });
    const { cid: second } = await follower.version(2, PUSHED_MS);
    const { pins } = follower.helia;
    assert.ok(await pins.isPinned(first), "the last two stay");
    await site.publish({ "index.html": "three" });
    await follower.version(3, PUSHED_MS);
    await until("the first is let go", async () => !await pins.isPinned(first));
    assert.not(await pins.isPinned(pageOne.found.cid));
    assert.ok(await pins.isPinned(shared.found.cid));
    assert.ok(await pins.isPinned(second));
    await site.seeder.stop();
    const old = await follower.open(`/ipfs/${second}/index.html`, { local: true });
    assert.is(old.entry.kind, "file");
  });

  test("a publisher who is gone for two weeks: a new reader finds the site at those who follow it", async () => {
    await using tracker = await createFakeTracker();
    const week = 7 * DAY;
    await using site = await createFollowedSite({ "index.html": "one" });
    // What is left of a record that was signed for thirty days, two weeks ago.
    await site.publish({ "index.html": "two" }, { lifetime: 30 * DAY - 2 * week });
    const follower = await site.reader({ keep: 1, trackers: [tracker.url] });
    await follower.version(2);
    await site.seeder.stop();
    const path = `/routing/v1/ipns/${parseKey(site.key)}`;
    await until(
      "the tracker has the record",
      () => tracker.answers.get(path) instanceof Uint8Array,
    );

    const names = { [SITE]: `/ipns/${site.key}` };
    await using neighbour = await createLoopbackNode({ names });
    await neighbour.meet(follower);
    await neighbour.open(`/ipns/${SITE}/index.html`);
    assert.is(await pageOf(neighbour, "index.html"), "two");
    // Nobody tells this one of the record but the tracker.
    await using stranger = await createLoopbackNode({ names, trackers: [tracker.url] });
    assert.is(await inForceOf(stranger, site.key), 2);
  });

  test("a site that moves to another key is followed there", async () => {
    await using site = await createFollowedSite({ "index.html": "one" });
    const follower = await site.reader({ keep: 1 });
    await follower.version(1);
    const { key } = await rotateKey(site.seeder, { name: SITE });
    // Under a new key, versions are counted anew.
    await until("it is at the new key", () => follower.taken.length === 2, PUSHED_MS);
    assert.equal(follower.events.filter(({ type }) => type === "trouble"), []);
    await site.publish({ "index.html": "two" });
    assert.is.not(key, site.key);
    await follower.version(2, PUSHED_MS);
    assert.equal((await follower.follower.list()).map(({ version, behind }) => [version, behind]), [
      [2, 0],
    ]);
    await site.seeder.stop();
    // By the name as it was: the old key leads to the new one.
    assert.is(await follower.page("index.html"), "two");
    assert.is(await inForce(follower, key), 2);
  });

  test("a name that leads to a folder within a tree is followed, too; after a restart it is the same version", async () => {
    await using folder = await createFolder(); // it goes after the node that writes into it
    await using site = await createFollowedSite({ "docs/index.html": "one", "other.txt": "no" });
    const { names } = site.seeder;
    const value = `/ipfs/${site.published.cid}/docs`;
    await names.update(`_dnslink.${SITE}`, () => Promise.resolve({ value }));
    const follower = await site.reader({ keep: 3, dir: folder.path });
    await until("it is here", () => follower.taken.length === 1);
    assert.is(await follower.page("index.html"), "one");
    await follower.stop();
    const again = await site.reader({ dir: folder.path });
    await until("it is here again", () => again.taken.length === 1);
    assert.equal([again.taken[0]!.versions, again.taken[0]!.fetched], [1, 0]);
  });

  test("a site is followed until it is said otherwise, and only by a name that leads somewhere", async () => {
    await using site = await createFollowedSite({ "index.html": "one" });
    const follower = await site.reader({ keep: 1 });
    await follower.version(1);
    assert.is(await follower.follower.unfollow(SITE), true);
    assert.is(await follower.follower.unfollow(SITE), false);
    await until("nobody follows", () => site.seeder.follower.followers(parseKey(site.key)!) === 0);
    await site.publish({ "index.html": "two" });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(follower.taken.map(({ number }) => number), [1]);
    assert.equal(await follower.follower.list(), []);
    assert.is(await pageOf(follower, "index.html"), "one");

    await refusal("BAD_ADDRESS", () => follower.follower.follow(`${SITE}/a/page`));
    await refusal("BAD_OPTION", () => site.seeder.follower.follow(SITE));
    await refusal("BAD_OPTION", () => follower.follower.follow(SITE, { keep: 0 }));
  });
});

async function inForceOf(
  node: Awaited<ReturnType<typeof createLoopbackNode>>,
  key: string,
): Promise<number | undefined> {
  return (await node.names.record(parseKey(key)!)).number;
}
