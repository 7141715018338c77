import { spawnSync } from "node:child_process";
import process from "node:process";
import * as assert from "uvu/assert";
import { readText } from "../../gateway/intake.ts";
import { suite } from "../helpers/suite.ts";

suite("intake", (test) => {
  test("a body that never ends is given up after ten seconds, whatever came before and after it", async () => {
    const began = performance.now();
    const first = readText(stalled(), 100);
    assert.is(await readText(request("quick"), 100), "quick");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const second = readText(stalled(), 100);
    assert.is(await readText(request("quick"), 100), "quick");
    assert.is(await first, undefined);
    const firstTook = performance.now() - began;
    assert.is(await second, undefined);
    const secondTook = performance.now() - began;
    assert.ok(firstTook > 9_900 && firstTook < 10_900, `${firstTook} ms`);
    assert.ok(secondTook > 10_900 && secondTook < 13_000, `${secondTook} ms`);
  });

  test("once all bodies have come nothing keeps the process", () => {
    const intake = new URL("../../gateway/intake.ts", import.meta.url);
    const program = `const { readText } = await import(${JSON.stringify(intake.href)});
      const init = { method: "POST", body: "all" };
      console.log(await readText(new Request("http://127.0.0.1/", init), 100));`;
    const began = performance.now();
    const words = process.versions.deno
      ? ["eval", program]
      : ["--input-type=module", "-e", program];
    const { stdout } = spawnSync(process.execPath, words, { encoding: "utf8", timeout: 20_000 });
    assert.is(stdout.trim(), "all");
    assert.ok(performance.now() - began < 9_000);
  });

  test("a body that breaks off is a failure, and one that is too long is none", async () => {
    const broken = new ReadableStream({ pull: (stream) => stream.error(new Error("cut")) });
    const failed = await readText(request(broken), 100).catch((error) => error);
    assert.is(failed.message, "cut");
    assert.is(await readText(request("x".repeat(101)), 100), undefined);
    assert.is(await readText(request("x".repeat(100)), 100), "x".repeat(100));
  });
});

function request(body: BodyInit): Request {
  return new Request("http://127.0.0.1/", { method: "POST", body, duplex: "half" } as RequestInit);
}

/** A request of which nothing comes. */
function stalled(): Request {
  return request(new ReadableStream({ pull: () => new Promise(() => undefined) }));
}
