/** What people and their instruments see of a tracker. */
import * as assert from "uvu/assert";
import { suite } from "../helpers/suite.ts";
import {
  at,
  AWAY,
  createAnnouncer,
  createTestTracker,
  ROOT,
  SITE,
  TRACKER,
} from "../helpers/tracker.ts";

suite("tracker: pages", (test) => {
  test("a page says in two languages what it is, how a site is found through it, and how much it has", async () => {
    await using t = await createTestTracker();
    await t.announce(await createAnnouncer(), { seeds: [ROOT], reads: [SITE], addrs: [at(AWAY)] });
    const english = await t.ask("/");
    assert.is(english.headers.get("content-type"), "text/html; charset=utf-8");
    assert.match(english.headers.get("content-security-policy")!, /default-src 'none'/);
    for (const text of ["A Nethood tracker", t.tracker.id, `tracker=${TRACKER}`, "<td>1</td>"]) {
      assert.ok(english.text.includes(text), text);
    }
    const german = await t.ask("/", AWAY, { headers: { "Accept-Language": "de" } });
    assert.match(german.text, /<html lang="de">[^]*Ein Nethood-Tracker/);
    assert.is(german.headers.get("vary"), "Accept-Language");
  });

  test("figures come as JSON and for Prometheus, and count what was asked", async () => {
    await using t = await createTestTracker({ app: { rate: { burst: 12, perSecond: 1 } } });
    await t.announce(await createAnnouncer(), { seeds: [ROOT], reads: [SITE] });
    await t.ask(`/routing/v1/providers/${ROOT}`);
    await t.ask("/routing/v1/providers/nonsense");
    const { json } = await t.ask("/stats.json", "192.88.1.1");
    const { id, url } = t.tracker;
    assert.equal(json, { id, url, ttl: 1800, peers: 1, seeds: 1, reads: 1, records: 0 });
    for (let i = 0; i < 8; i++) await t.ask(`/routing/v1/providers/${ROOT}`);
    const { text } = await t.ask("/metrics", "192.88.2.1");
    for (
      const line of [
        "nethood_tracker_peers 1",
        `nethood_tracker_announces{state="fetched"} 1`,
        `nethood_tracker_requests_total{kind="announce",status="200"} 1`,
        `nethood_tracker_requests_total{kind="routing",status="422"} 1`,
        `nethood_tracker_requests_total{kind="routing",status="429"} 2`,
      ]
    ) assert.ok(text.includes(`${line}\n`), `${line} is not in:\n${text}`);
    assert.match(text, /^# TYPE nethood_tracker_requests_total counter$/m);
  });
});
