/** What the owner of a tracker writes down: who may announce what, and who may ask for it. */
import * as assert from "uvu/assert";
import { parseRules } from "../../src/tracker/rules.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";
import { at, AWAY, createAnnouncer, createTestTracker, ROOT, SITE } from "../helpers/tracker.ts";

const CLUB = "198.51.100.7";

suite("tracker: rules", (test) => {
  test("a list names who may announce, and from where one may ask; all else is as by default", async () => {
    const [anna, mallory] = [await createAnnouncer(), await createAnnouncer()];
    const rules = parseRules(JSON.stringify({
      default: { announce: [] },
      keys: {
        [ROOT]: { announce: [anna.id], ask: ["198.51.100.0/24", "2001:db8::/32"] },
        [SITE]: { announce: "open", ask: "open" },
      },
    }));
    await using t = await createTestTracker({ rules });
    const other = "/ipns/other.example.org";
    const said = await t.announce(anna, { seeds: [ROOT, other], addrs: [at(CLUB)] }, CLUB);
    assert.is(said.status, 200);
    assert.equal(said.json.refused.map(({ key }: { key: string }) => key), [other]);
    assert.is((await t.announce(mallory, { seeds: [ROOT] }, CLUB)).status, 403);
    assert.is((await t.announce(mallory, { reads: [SITE] }, CLUB)).status, 200);
    for (const from of [CLUB, "198.51.100.200", "2001:db8:7::1"]) {
      assert.equal(await t.providers(ROOT, from), [anna.id], from);
    }
    const { status, text } = await t.ask(`/routing/v1/providers/${ROOT}`, AWAY);
    assert.is(status, 403);
    assert.match(text, /^[A-Z].*\.$/m);
  });

  test("followers only: who was there before or is named, and those who ask from where a follower is", async () => {
    const [anna, ben, mallory] = await Promise.all([1, 2, 3].map(createAnnouncer));
    await using folder = await createFolder();
    const clock = { now: Date.now() };
    {
      await using open = await createTestTracker({ dir: folder.path, clock });
      await open.announce(anna!, { seeds: [ROOT], addrs: [at(CLUB)] }, CLUB);
    }
    const rules = parseRules(JSON.stringify({
      keys: { [ROOT]: { announce: "followers", peers: [ben!.id], ask: "followers" } },
    }));
    await using t = await createTestTracker({ dir: folder.path, clock, rules });
    const announce = async (who: typeof anna, from: string) =>
      (await t.announce(who!, { event: "updated", seeds: [ROOT], addrs: [at(from)] }, from)).status;
    assert.equal([await announce(anna, CLUB), await announce(ben, "192.88.1.1")], [200, 200]);
    assert.is(await announce(mallory, AWAY), 403);
    assert.equal((await t.providers(ROOT, CLUB)).length, 2);
    assert.is((await t.ask(`/routing/v1/providers/${ROOT}`, AWAY)).status, 403);
    // Its neighbour is not the follower.
    assert.is((await t.ask(`/routing/v1/providers/${ROOT}`, "198.51.100.8")).status, 403);
  });

  test("a file that is not understood is refused, with a sentence that says where", () => {
    const wrong: [string, RegExp][] = [
      ["{", /not JSON/],
      ["[]", /"the file" is not an object/],
      [`{"sites": {}}`, /"sites", which is no rule/],
      [`{"keys": {"nonsense": {}}}`, /"nonsense" is no CID/],
      [`{"default": {"announce": "freunde"}}`, /not open, followers or a list/],
      [`{"default": {"ask": ["12D3KooW"]}}`, /"12D3KooW", which is no network/],
      [`{"default": {"annouce": "open"}}`, /"annouce", which is no rule/],
    ];
    for (const [text, sentence] of wrong) {
      assert.throws(() => parseRules(text), (error: Error) => sentence.test(error.message), text);
    }
    assert.ok(parseRules("{}").open);
  });
});
