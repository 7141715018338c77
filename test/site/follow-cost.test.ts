/** What an update costs those who follow: what is new in it, and little else. */
import * as assert from "uvu/assert";
import { gather } from "../../src/content/gather.ts";
import { createCountedLine } from "../helpers/counted-line.ts";
import type { Files } from "../helpers/folder.ts";
import { createFollowedSite } from "../helpers/followed-site.ts";
import { createRandom } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";
import { SITE } from "../helpers/site.ts";

const KIB = 1024;

/** Bytes that may move for each byte of changed blocks and of the folders above them. */
const MOST = 1.3;

suite("site/follow, cost", (test) => {
  test("one changed file of a large site moves that file and the folders above it, and hardly more", async () => {
    const random = createRandom(1);
    const files: Files = {};
    for (let i = 0; i < 600; i++) {
      files[`part${i % 6}/page${i}.html`] = random.bytes(8 * KIB);
    }
    await using site = await createFollowedSite(files);
    await using line = await createCountedLine(site.seeder.address);
    const follower = await site.reader({ alone: true, push: true });
    await follower.meet(line.address);
    await follower.follower.follow(SITE, { keep: 1 });
    const { cid: before } = await follower.version(1);

    const old = new Set<string>();
    const { blocks } = site.seeder;
    const local = true;
    for await (const { cid } of gather(blocks, before, { local })) old.add(cid.toString());
    await settled(line);
    const start = line.received;
    const { cid } = await site.publish({ "part3/page3.html": random.bytes(200 * KIB) });
    await follower.version(2);
    await settled(line);
    const moved = line.received - start;
    let changed = 0;
    for await (const { cid: at, size } of gather(blocks, cid, { local })) {
      if (!old.has(at.toString())) changed += size;
    }
    assert.ok(moved <= MOST * changed, `${moved} bytes for ${changed} that changed`);
    assert.ok(changed > 200 * KIB && changed < 260 * KIB, `${changed} bytes changed`);
  });
});

/** Until nothing passes any more. */
async function settled(line: { readonly received: number }): Promise<void> {
  for (let last = -1; line.received !== last;) {
    last = line.received;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
