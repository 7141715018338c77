/** How much may be on the way: enough for the line, and no more. */
import * as assert from "uvu/assert";
import { Window } from "../../src/swarm/window.ts";
import { suite } from "../helpers/suite.ts";

const KIB = 1024;
const BLOCK = 64 * KIB;

/** A window that got so many acknowledgements, each after so many milliseconds. */
function after(times: number, took: number, { window = new Window(), from = 0, full = true } = {}) {
  for (let i = 0; i < times; i++) window.acknowledged(BLOCK, took, from + i * took, full);
  return window;
}

suite("window", (test) => {
  test("it begins with two blocks, and grows while acknowledgements come fast", () => {
    assert.is(new Window().size, 2 * BLOCK);
    assert.is(after(10, 50).size, 12 * BLOCK, "by each block that was acknowledged");
    assert.ok(after(1_000, 50).size <= 16 * 1024 * KIB, "up to 16 MiB");
  });

  test("it does not grow while it is not what holds us back", () => {
    assert.is(after(10, 50, { full: false }).size, 2 * BLOCK);
  });

  test("it shrinks when acknowledgements are late against the empty line, once in their time", () => {
    const window = after(10, 50);
    const before = window.size;
    window.acknowledged(BLOCK, 400, 5_000, true);
    const once = window.size;
    assert.ok(once < before, "350 ms later than on the empty line");
    window.acknowledged(BLOCK, 400, 5_100, true);
    assert.is(window.size, once, "what was sent before it shrank says nothing new");
    window.acknowledged(BLOCK, 400, 5_500, true);
    assert.ok(window.size < once);
  });

  test("a line that is slow by itself is not taken for a full one", () => {
    const window = after(10, 600);
    assert.is(window.size, 12 * BLOCK);
  });

  test("two blocks remain, however large they are", () => {
    const window = after(1, 50);
    after(15, 700, { window, from: 1_000 });
    assert.is(window.size, 2 * BLOCK);
    window.acknowledged(1024 * KIB, 4_000, 300_000, true);
    assert.is(window.size, 2 * 1024 * KIB);
  });

  test("what was fast is forgotten: the way may be another one by now", () => {
    const window = after(4, 50);
    const before = window.size;
    after(30, 400, { window, from: 10_000 });
    assert.is(window.size, 2 * BLOCK, "shrunk at first");
    after(60, 400, { window, from: 40_000 });
    assert.ok(window.size > before, "and grown when 400 ms were the usual");
  });
});
