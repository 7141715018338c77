/** Which versions of a site were seen. */
import * as assert from "uvu/assert";
import { createVersions } from "../../src/store/versions.ts";
import { memoryRecords } from "../helpers/ipns-store.ts";
import { suite } from "../helpers/suite.ts";

suite("store/versions", (test) => {
  test("each is new once; a second one of its number is a fork, once", () => {
    const versions = createVersions(memoryRecords());
    const see = (key: string, number: number, cid: string) =>
      versions.see(key, { number, cid, seen: 5 });
    assert.is(versions.newest("k1"), undefined);
    assert.equal(
      [see("k1", 3, "c3"), see("k1", 3, "c3"), see("k1", 3, "d3"), see("k1", 3, "d3")],
      ["new", "known", "fork", "known"],
    );
    assert.is(see("k2", 3, "e3"), "new", "another key's is no fork");
    assert.is(see("k1", 1, "c1"), "new", "an old one, heard of late");
    assert.equal({ ...versions.newest("k1") }, { number: 3, cid: "c3", seen: 5 });
    assert.equal(versions.all("k1").map(({ cid }) => cid), ["c3", "d3", "c1"]);
  });

  test("whoever holds a key cannot fill the disk with it", () => {
    const versions = createVersions(memoryRecords());
    const see = (number: number, cid: string) => versions.see("k", { number, cid, seen: number });
    for (let i = 0; i < 20; i++) see(1, `c${i}`);
    assert.is(versions.all("k").length, 8);
    for (let number = 2; number <= 1_200; number++) see(number, "c");
    assert.is(versions.all("k").length, 1_000);
    assert.is(versions.newest("k")!.number, 1_200);
    assert.equal([see(200, "d"), see(201, "d")], ["known", "fork"]);
    assert.is(see(Number.MAX_SAFE_INTEGER, "c"), "new");
    assert.is(versions.all("k").length, 1);
  });
});
