/** The protocol's document is held to the code: its examples are what is sent, and its limits are the limits. */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import * as assert from "uvu/assert";
import * as limits from "../../src/routing/announce.ts";
import { parseTrackerKey } from "../../src/routing/key.ts";
import { MAX_PEER_KEYS } from "../../src/tracker/keys.ts";
import { parseRules } from "../../src/tracker/rules.ts";
import { suite } from "../helpers/suite.ts";
import { createAnnouncer, createTestTracker, ROOT, SITE, TRACKER } from "../helpers/tracker.ts";

const doc = readFileSync(new URL("../../docs/tracker-protocol.md", import.meta.url), "utf8");
const NOW = 1_800_000_000_000;

suite("the tracker protocol's document", (test) => {
  test("its announce is what a peer signs, and what a tracker takes", async () => {
    const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
    const key = await generateKeyPairFromSeed("Ed25519", seed);
    const { id: _, ...fields } = example("payload");
    const shown = example("announce");
    assert.equal(JSON.parse(await limits.signAnnounce(key, fields)), shown);
    assert.equal(
      JSON.parse(Buffer.from(shown.payload, "base64url").toString()),
      example("payload"),
    );
    await using t = await createTestTracker({ clock: { now: NOW } });
    const answer = await t.post("/tracker/v1/announce", shown, "203.0.113.7");
    assert.equal([answer.status, answer.json.refused], [200, []]);
    assert.equal(Object.keys(answer.json), Object.keys(block(/"interval"/)));
    assert.is(Buffer.from(answer.json.token, "base64url").byteLength, 16);
    const { json } = await t.ask(`/routing/v1/providers/${ROOT}`);
    assert.equal(json.Providers, [block(/"Schema"/)]);
  });

  test("its limits are the limits", () => {
    const rows = [...doc.matchAll(/^\| ([a-z, ]+) +\| +([\d,]+) +\|$/gm)];
    const told = rows.map(([, what, most]) => [what!.trim(), Number(most!.replaceAll(",", ""))]);
    assert.equal(Object.fromEntries(told), {
      "keys of one announce": limits.MAX_KEYS,
      "addresses of one announce": limits.MAX_ADDRS,
      "bytes of one announce": limits.MAX_ANNOUNCE_BYTES,
      "keys of one peer": MAX_PEER_KEYS,
      "a clock may be off, in milliseconds": limits.MAX_SKEW_MS,
    });
  });

  test("its rules are rules, and what it says of them is so", () => {
    const rules = parseRules(JSON.stringify(example("rules")));
    const of = (key: string) => rules.of(parseTrackerKey(key).id);
    assert.equal([of(SITE).announce, of(SITE).ask], ["open", "open"]);
    assert.is(of("/ipns/club.example.org").announce, "followers");
    assert.equal(of(ROOT).announce, new Set());
  });

  test("scrape and the tracker itself answer with the fields that it names", async () => {
    await using t = await createTestTracker();
    await t.announce(await createAnnouncer(), { seeds: [ROOT] });
    const { json: { keys } } = await t.ask(`/tracker/v1/scrape?key=${ROOT}`);
    const names = Object.keys(keys[ROOT]).sort();
    assert.equal(names, ["completed", "given", "readers", "seeders"]);
    for (const name of names) assert.ok(doc.includes(`"${name}"`), name);
    const { json } = await t.ask("/tracker/v1");
    assert.equal(json, { id: t.tracker.id, url: TRACKER, ttl: 1800, version: 1 });
  });
});

/** The JSON of the block with this name. */
function example(name: string) {
  const [, text = ""] = new RegExp(`\`\`\`json ${name}\\n([^]*?)\`\`\``).exec(doc) ?? [];
  return JSON.parse(text);
}

/** The first block of JSON in which this stands. */
function block(text: RegExp): object {
  const blocks = [...doc.matchAll(/```json\n([^]*?)```/g)].map(([, json]) => json!);
  return JSON.parse(blocks.find((json) => text.test(json))!);
}
