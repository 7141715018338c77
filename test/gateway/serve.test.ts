/** The socket: where it opens, why it may not, and how it ends. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import type { ServerTraits } from "../../gateway/file.ts";
import { serve } from "../../gateway/serve.ts";
import { NethoodError } from "../../src/errors.ts";
import { askRaw, open, send } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

/** Longest time for one of these tests, in milliseconds: none of them takes three seconds. */
const LIMIT_MS = 20_000;

const HELLO = { fetch: () => new Response("hello") };

suite("gateway: serve", (test) => {
  test("it listens on this machine alone, on any free port if asked", async () => {
    await using server = await serve(HELLO, { port: 0 });
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d{4,5}$/);
    assert.is((await askRaw(server.url, "/", "Host: x")).body, "hello");
    await using six = await serve(HELLO, { port: 0, hostname: "::1" });
    assert.match(six.url, /^http:\/\/\[::1\]:\d+$/);
    assert.is((await askRaw(six.url, "/", "Host: x")).body, "hello");
  });

  test("a port in use, a host that is not here, a port that is none: each says what to do", async () => {
    await using server = await serve(HELLO, { port: 0 });
    const taken = Number(new URL(server.url).port);
    const cases: [{ port: number; hostname?: string }, string, RegExp][] = [
      [{ port: taken }, "PORT_IN_USE", /--port 0/],
      [{ port: 0, hostname: "192.0.2.1" }, "BAD_OPTION", /--host/],
      [{ port: 0, hostname: "no-such-host.invalid" }, "BAD_OPTION", /--host/],
      [{ port: 0, hostname: "a b" }, "BAD_OPTION", /--host/],
      [{ port: 99_999 }, "BAD_OPTION", /65535/],
      [{ port: -1 }, "BAD_OPTION", /65535/],
    ];
    for (const [options, code, hint] of cases) {
      const error = await serve(HELLO, options).then(
        (server) => server.close().then(() => undefined),
        (error) => error,
      );
      assert.instance(error, NethoodError);
      assert.is(error.code, code, JSON.stringify(options));
      assert.match(error.hint, hint);
    }
  });

  test("close lets all answers that are under way finish, and frees the port", async () => {
    const { app, answers } = halting();
    const server = await serve(app, { port: 0 });
    const ask = (path: string) => send(server.url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    const got = [ask("/a"), ask("/b")];
    await until("both are under way", () => answers.size === 2);
    const closed = server.close({ grace: 5_000 });
    for (const path of ["/a", "/b"]) {
      await sleep(100);
      const answer = answers.get(path)!;
      assert.not(answer.cut, `${path} was cut off`);
      answer.finish();
    }
    const start = Date.now();
    await closed;
    assert.ok(Date.now() - start < 2_000, "it waited for nothing");
    for (const answer of got) assert.match(await answer, /first last$/);
    await using again = await serve(HELLO, { port: Number(new URL(server.url).port) });
    assert.is((await askRaw(again.url, "/", "Host: x")).body, "hello");
    await server.close();
  });

  test("close does not wait for a client that has left", async () => {
    const { app, answers } = halting();
    const server = await serve(app, { port: 0 });
    const client = open(server.url);
    client.write("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(client, "data");
    client.destroy();
    await until("it is noticed", () => answers.get("/a")!.cut);
    const start = Date.now();
    await server.close({ grace: 10_000 });
    assert.ok(Date.now() - start < 2_000, `${Date.now() - start} ms`);
  });

  test("close leaves its time to a large answer that the server has whole", async () => {
    const size = 16 * 1024 * 1024; // More than the sockets of a connection hold.
    const whole = new Response(new Uint8Array(size));
    const app = {
      fetch(_request: Request, traits: ServerTraits = {}) {
        if (traits.shares !== "clones") return new Response(new Uint8Array(size));
        traits.handedOver!(size);
        return whole.clone();
      },
    };
    const server = await serve(app, { port: 0 });
    const slow = open(server.url);
    slow.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    await once(slow, "readable");
    const closed = server.close({ grace: 2_000 });
    await sleep(200);
    let got = 0;
    for await (const chunk of slow) got += chunk.byteLength;
    assert.ok(got > size, `${got} bytes of ${size}`);
    const start = Date.now();
    await closed;
    assert.ok(Date.now() - start < 3_000, `${Date.now() - start} ms`);
  });

  test("close ends within its grace, whatever is still going out", async () => {
    const cancelled = Promise.withResolvers<void>();
    const app = {
      fetch: () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
            cancel: () => cancelled.resolve(),
          }),
          { headers: { "Content-Length": "1000000000000" } },
        ),
    };
    const server = await serve(app, { port: 0 });
    const slow = open(server.url);
    slow.on("error", () => undefined); // Cut off is what it is to be.
    slow.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const idle = open(server.url);
    await once(idle, "connect");
    await sleep(200);
    const start = Date.now();
    await server.close({ grace: 300 });
    assert.ok(Date.now() - start < 2_000, `${Date.now() - start} ms`);
    await cancelled.promise;
    slow.resume();
    if (!slow.closed) await once(slow, "close");
    idle.destroy();
  });
}, LIMIT_MS);

/** Answers each path with half a body, whose other half comes when the test says so. */
function halting() {
  const answers = new Map<string, { cut: boolean; finish: () => void }>();
  const fetch = (request: Request) => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes("first "));
        const finish = () => {
          controller.enqueue(bytes("last"));
          controller.close();
        };
        answers.set(new URL(request.url).pathname, { cut: false, finish });
      },
      cancel: () => void (answers.get(new URL(request.url).pathname)!.cut = true),
    });
    return new Response(body, { headers: { "Content-Length": "10" } });
  };
  return { app: { fetch }, answers };
}
