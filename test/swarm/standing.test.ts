/** What is thought of a peer: points that add up, fade, and end in a while of silence. */
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { BAR_MS, type Offence, OFFENCES, Standings } from "../../src/swarm/standing.ts";
import { suite } from "../helpers/suite.ts";

const HOUR = 3_600_000;

suite("standing", (test) => {
  for (const [offence, { reason }] of Object.entries(OFFENCES)) {
    test(`${offence}: a few are forgiven, many at once are not, and the reason is said`, () => {
      const standings = new Standings();
      const often = (times: number, apart: number, from: number) =>
        Array.from(
          { length: times },
          (_, i) => standings.note("peer", offence as Offence, from + i * apart),
        );
      assert.equal(new Set(often(4, 1_000, 0)), new Set([undefined]));
      assert.equal(new Set(often(60, HOUR, HOUR)), new Set([undefined]));
      assert.is(often(60, 10, 100 * HOUR).at(-1), reason);
    });
  }

  test("the protocol's document tells the points that count", () => {
    const doc = readFileSync(new URL("../../docs/swarm-protocol.md", import.meta.url), "utf8");
    const [, section] = /^## Standing$(.*?)^## /ms.exec(doc)!;
    const told = [...section!.matchAll(/^\| (\d+) +\| a /gm)].map(([, points]) => Number(points));
    assert.equal(told, Object.values(OFFENCES).map(({ points }) => points));
  });

  test("different offences add up, those of different peers do not", () => {
    const standings = new Standings();
    const kinds = Object.keys(OFFENCES) as Offence[];
    const said = Array.from({ length: 40 }, (_, i) => standings.note("one", kinds[i % 5]!, i));
    assert.ok(said.findIndex((reason) => reason !== undefined) > kinds.length);
    assert.is(standings.note("other", "silence", 50), undefined);
  });

  test("who was barred may come back after a while, and is borne with again", () => {
    const standings = new Standings();
    for (let i = 0; i < 100; i++) standings.note("peer", "greed", i);
    standings.bar("peer", 1_000);
    assert.is(standings.barredFor("peer", 1_000), BAR_MS);
    assert.is(standings.barredFor("peer", 1_000 + BAR_MS - 1), 1);
    assert.is(standings.barredFor("peer", 1_000 + BAR_MS), 0);
    assert.is(standings.note("peer", "greed", 1_000 + BAR_MS), undefined);
    assert.is(standings.barredFor("other", 1_000), 0);
  });

  test("a crowd of strangers costs bounded memory, and drives out who was noticed longest ago", () => {
    const standings = new Standings();
    standings.bar("old", 0);
    standings.bar("kept", 0);
    for (let i = 0; i < 4_095; i++) standings.bar(`stranger ${i}`, 1);
    assert.is(standings.barredFor("old", 1), 0);
    assert.is(standings.barredFor("kept", 1), BAR_MS - 1);
  });
});
