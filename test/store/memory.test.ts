/** The memory tier: what is asked for often stays, and its size is never above its limit. */
import * as assert from "uvu/assert";
import { MemoryTier, usualMemory } from "../../src/store/memory.ts";
import { suite } from "../helpers/suite.ts";

/** Reads as a store does: what is not held is fetched, and offered to the tier. Whether it was held. */
function read(tier: MemoryTier<number>, key: string, bytes = 1): boolean {
  if (tier.get(key) !== undefined) return true;
  tier.set(key, bytes);
  return false;
}

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}`);

suite("memory", (test) => {
  test("a small machine gives a thirty-second of its memory, a large one no more than 128 MiB", () => {
    const MIB = 1024 ** 2, GIB = 1024 * MIB;
    assert.is(usualMemory(GIB), 32 * MIB);
    assert.is(usualMemory(64 * GIB), 128 * MIB);
  });

  test("a film that is larger than the tier leaves a site's pages where they are", () => {
    const tier = new MemoryTier<number>(100, (bytes) => bytes);
    const site = numbered("page", 40), film = numbered("film", 500);
    for (let time = 0; time < 3; time++) site.forEach((key) => read(tier, key));
    film.forEach((key) => read(tier, key));
    assert.ok(site.every((key) => read(tier, key)));
    assert.is(tier.bytes, 100);
  });

  test("what is read from end to end again and again is held as far as there is room", () => {
    const tier = new MemoryTier<number>(60, (bytes) => bytes);
    const film = numbered("film", 100);
    film.forEach((key) => read(tier, key));
    for (let time = 0; time < 3; time++) {
      assert.is(film.filter((key) => read(tier, key)).length, 60);
    }
  });

  test("what was popular once makes room for what is popular now", () => {
    const tier = new MemoryTier<number>(10, (bytes) => bytes);
    const old = numbered("old", 10), now = numbered("new", 10);
    for (let time = 0; time < 90; time++) old.forEach((key) => read(tier, key));
    for (let time = 0; time < 60; time++) now.forEach((key) => read(tier, key));
    assert.ok(now.every((key) => read(tier, key)));
  });

  test("what was asked for again stays, and what was not goes, though it came later", () => {
    const tier = new MemoryTier<number>(3, (bytes) => bytes);
    for (const key of ["a", "b", "c", "a"]) read(tier, key);
    for (let time = 0; time < 3; time++) read(tier, "d");
    assert.equal(["a", "b", "c", "d"].filter((key) => tier.get(key) !== undefined), [
      "a",
      "c",
      "d",
    ]);
  });

  test("one large value pushes out many small ones only where it is wanted more than each", () => {
    const tier = new MemoryTier<number>(10, (bytes) => bytes);
    const small = numbered("small", 10);
    small.forEach((key) => read(tier, key));
    for (const key of ["small7", "small8"]) read(tier, key);
    read(tier, "large", 9);
    read(tier, "large", 9);
    assert.ok(
      small.every((key) => tier.get(key) !== undefined),
      "small7 is wanted as much as the large one, and eight are not enough",
    );
    const fresh = new MemoryTier<number>(10, (bytes) => bytes);
    small.forEach((key) => read(fresh, key));
    read(fresh, "large", 9);
    read(fresh, "large", 9);
    assert.is(fresh.bytes, 10);
    assert.is(fresh.get("large"), 9);
    const empty = new MemoryTier<number>(10, (bytes) => bytes);
    read(empty, "huge", 11);
    assert.is(empty.bytes, 0);
  });
});
