/** Sites that are followed: what a publisher puts out is soon with those who follow it, whole, and stays with them. */
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { createFollowedSite, inForce } from "../helpers/followed-site.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

/** What is heard by push is here well before it would be asked for, in milliseconds. */
const PUSHED_MS = 5_000;

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
});
