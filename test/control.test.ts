/** A command reaches the node that runs on its folder. */
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { askNode, type Method, serveControl } from "../src/control.ts";
import { NethoodError } from "../src/errors.ts";
import { failure, thrown } from "./helpers/failure.ts";
import { createFolder } from "./helpers/folder.ts";
import { suite } from "./helpers/suite.ts";
import { until } from "./helpers/until.ts";

const METHODS: Record<string, Method> = {
  // deno-lint-ignore require-await -- as methods are
  async add({ a, b }, { tell }) {
    tell("adding", { a, note: "two\nlines" });
    return { sum: Number(a) + Number(b) };
  },
  nothing: () => Promise.resolve(undefined),
  refuse: () => Promise.reject(new NethoodError("NO_VERSION", "There is none.", { hint: "Wait." })),
  fail: () => Promise.reject(new TypeError("out of the blue")),
  // until nobody wants it any more
  wait: (_, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
};

const add = { method: "add", params: { a: 2, b: 3 } };

suite("control", (test) => {
  test("events, and a result; a failure is what it was there", async () => {
    await using dir = await createFolder();
    await using _ = await serveControl(dir.path, METHODS);
    const events: unknown[] = [];
    const onEvent = (event: string, data: object) => void events.push([event, data]);
    assert.equal(await askNode(dir.path, add, { onEvent }), { result: { sum: 5 } });
    assert.equal(events, [["adding", { a: 2, note: "two\nlines" }]]);
    const nothing = await askNode(dir.path, { method: "nothing", params: {} });
    assert.equal(nothing, { result: null });

    const refused = await failure(askNode(dir.path, { method: "refuse", params: {} }));
    const { code, message, hint } = refused;
    assert.equal([code, message, hint], ["NO_VERSION", "There is none.", "Wait."]);
    const failed = await thrown(askNode(dir.path, { method: "fail", params: {} }));
    assert.match(String(failed), "out of the blue");
    for (const method of ["subtract", "toString", "__proto__"]) {
      const unknown = await failure(askNode(dir.path, { method, params: {} }));
      assert.is(unknown.code, "UNSUPPORTED", method);
    }
    const sums = await Promise.all(
      Array.from(
        { length: 20 },
        (_, a) => askNode(dir.path, { method: "add", params: { a, b: 1 } }),
      ),
    );
    assert.equal(sums.map((answer) => answer!.result), sums.map((_, a) => ({ sum: a + 1 })));
  });

  test("nobody else on the machine may use it, from its first moment", async () => {
    await using dir = await createFolder();
    const mask = process.umask();
    await using _ = await serveControl(dir.path, METHODS);
    const { mode } = await stat(join(dir.path, "control.sock"));
    assert.equal([(mode & 0o777).toString(8), process.umask()], ["600", mask]);
  });

  test("in a folder with a long path it is elsewhere, and found", async () => {
    await using dir = await createFolder();
    const long = join(dir.path, "x".repeat(60), "y".repeat(60));
    await mkdir(long, { recursive: true });
    assert.is(await askNode(long, add), undefined);
    const told: string[] = [];
    const control = await serveControl(long, METHODS, { log: (line) => told.push(line) });
    assert.equal(await askNode(long, add), { result: { sum: 5 } });
    const path = await readFile(join(long, "control.path"), "utf8");
    assert.is(((await stat(path)).mode & 0o777).toString(8), "600");
    assert.is(((await stat(dirname(path))).mode & 0o777).toString(8), "700");
    await control[Symbol.asyncDispose]();
    assert.equal([existsSync(dirname(path)), existsSync(join(long, "control.path"))], [
      false,
      false,
    ]);
    assert.equal(told, []);
    // what a node that was killed has left: a path to nowhere
    await writeFile(join(long, "control.path"), path);
    assert.is(await askNode(long, add), undefined);
    await using _ = await serveControl(long, METHODS);
    assert.equal(await askNode(long, add), { result: { sum: 5 } });
  });

  test("where no node runs nobody answers; what a killed one has left is in nobody's way", async () => {
    await using dir = await createFolder();
    assert.is(await askNode(dir.path, add), undefined);
    assert.is(await askNode(join(dir.path, "none"), add), undefined);
    await writeFile(join(dir.path, "control.sock"), "");
    assert.is(await askNode(dir.path, add), undefined);
    {
      await using _ = await serveControl(dir.path, METHODS);
      assert.equal(await askNode(dir.path, add), { result: { sum: 5 } });
    }
    assert.is(await askNode(dir.path, add), undefined);
    assert.is(existsSync(join(dir.path, "control.sock")), false);
  });

  test("a folder that cannot have a socket is told of, and is no reason not to run", async () => {
    await using dir = await createFolder();
    const told: string[] = [];
    await mkdir(join(dir.path, "control.sock"));
    await using _ = await serveControl(dir.path, METHODS, { log: (line) => told.push(line) });
    assert.is(told.length, 1);
    assert.match(told[0]!, "site log");
  });

  test("who hangs up, or is told to, no longer wants it", async () => {
    await using dir = await createFolder();
    let ended = 0;
    const wait: Method = (params, context) => METHODS.wait!(params, context).finally(() => ended++);
    await using _ = await serveControl(dir.path, { wait });
    const stop = new AbortController();
    const reason = new Error("changed my mind");
    const request = { method: "wait", params: {} };
    const asking = thrown(askNode(dir.path, request, { signal: stop.signal }));
    setTimeout(() => stop.abort(reason), 100);
    assert.is(await asking, reason);
    await until("the method is told", () => ended === 1, 5_000);
    assert.is(await thrown(askNode(dir.path, request, { signal: stop.signal })), reason);
  });

  test("a node that stops answers who is waiting, and does not wait for them", async () => {
    await using dir = await createFolder();
    const control = await serveControl(dir.path, METHODS);
    const asking = failure(askNode(dir.path, { method: "wait", params: {} }));
    // one that says nothing, and does not hang up
    const path = join(dir.path, "control.sock");
    const silent = connect({ path, allowHalfOpen: true }).on("error", () => {});
    await new Promise((resolve) => silent.once("connect", resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const began = Date.now();
    await control[Symbol.asyncDispose]();
    assert.ok(Date.now() - began < 3_000, "it took too long");
    assert.is((await asking).code, "STOPPED");
    silent.destroy();
  });

  test("nonsense is answered, or hung up on, and harms nobody", async () => {
    await using dir = await createFolder();
    await using _ = await serveControl(dir.path, METHODS);
    const says = (words: string) =>
      new Promise<string>((resolve) => {
        let answer = "";
        const socket = connect(join(dir.path, "control.sock"), () => socket.write(words));
        socket.setEncoding("utf8").on("data", (text: string) => answer += text);
        socket.on("error", () => {}).on("close", () => resolve(answer));
      });
    for (const words of ["hello\n", "[]\n", "null\n", '{"method":7}\n', "{}\n", "\n"]) {
      assert.match(await says(words), /^\{"error":/, words);
    }
    const began = Date.now();
    await says("x".repeat(3 * 1024 * 1024)); // whether it hears why is a matter of who is faster
    assert.ok(Date.now() - began < 5_000, "it was hung up on at once");
    assert.equal(await askNode(dir.path, add), { result: { sum: 5 } });
  });
});
