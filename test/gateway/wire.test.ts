/** What is no HTTP, and what is too slow to be any: the server stays up, and goes on for everybody else. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { Socket } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import * as assert from "uvu/assert";
import { serve } from "../../gateway/serve.ts";
import { createHostileGateway, type HostileGateway } from "../helpers/hostile-gateway.ts";
import { createRandom } from "../helpers/random.ts";
import { askRaw, open } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

/** How long a connection is listened to after the last byte was sent, in milliseconds. */
const LISTEN_MS = 150;

/** Connections at once. */
const AT_ONCE = 12;

const HOST = "Host: 127.0.0.1:7080\r\n";

/** Status lines that a server may send for nonsense; where it cannot make out a request, it may also just hang up. */
const REFUSALS = /^HTTP\/1\.[01] (4\d\d|5\d\d|30\d|20\d) /;

/** What comes over the wire, by what is wrong with it. @param good a path that has a text */
function nonsense(good: string): [string, string | Uint8Array][] {
  const get = `GET ${good} HTTP/1.1\r\n`;
  const put = `PUT /routing/v1/ipns/k51 HTTP/1.1\r\n${HOST}` +
    "Content-Type: application/vnd.ipfs.ipns-record\r\n";
  return [
    ["nothing", ""],
    ["line ends", "\r\n\r\n\r\n"],
    ["no version", `GET ${good}\r\n\r\n`],
    ["a version that is none", `GET ${good} HTTP/9.9\r\n${HOST}\r\n`],
    ["HTTP/1.0 without Host", `GET ${good} HTTP/1.0\r\n\r\n`],
    ["HTTP/2 at once", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS", new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])],
    ["SSH", "SSH-2.0-OpenSSH_9.9\r\n"],
    ["no Host", `${get}\r\n`],
    ["an empty Host", `${get}Host:\r\n\r\n`],
    ["two Hosts", `${get}${HOST}Host: evil.example\r\n\r\n`],
    ["a Host with a path", `${get}Host: a/b?c#d@e:f\r\n\r\n`],
    ["a Host that is half an address", `${get}Host: [::1\r\n\r\n`],
    ["a Host of 10 KB", `${get}Host: ${"a.".repeat(5_000)}\r\n\r\n`],
    ["a Host in bytes", Buffer.from(`${get}Host: \xff\xfe\x80\r\n\r\n`, "latin1")],
    ["a port that is none", `${get}Host: 127.0.0.1:99999999\r\n\r\n`],
    ["headers of 100 KB", `${get}${HOST}${`X-A: ${"y".repeat(100)}\r\n`.repeat(1_000)}\r\n`],
    ["one header of 100 KB", `${get}${HOST}X-A: ${"y".repeat(100_000)}\r\n\r\n`],
    ["ten thousand names", `${get}${HOST}${"a:\r\n".repeat(10_000)}\r\n`],
    ["a URL of 100 KB", `GET /${"x".repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`],
    ["a URL of 20 KB", `GET ${good}?${"x".repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`],
    ["NUL in the path", `GET ${good}\0 HTTP/1.1\r\n${HOST}\r\n`],
    ["NUL in a header", `${get}${HOST}X: a\0b\r\n\r\n`],
    ["bytes in the path", Buffer.from(`GET /\xff\xfe HTTP/1.1\r\n${HOST}\r\n`, "latin1")],
    ["no path", `GET  HTTP/1.1\r\n${HOST}\r\n`],
    ["a path without a slash", `GET ${good.slice(1)} HTTP/1.1\r\n${HOST}\r\n`],
    ["an asterisk", `GET * HTTP/1.1\r\n${HOST}\r\n`],
    ["OPTIONS of all", `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
    ["a fragment", `GET ${good}#x HTTP/1.1\r\n${HOST}\r\n`],
    ["a space in the path", `GET /a b c HTTP/1.1\r\n${HOST}\r\n`],
    ["another scheme", `GET ftp://x/ HTTP/1.1\r\n${HOST}\r\n`],
    ["a user in the URL", `GET http://a:b@docs.example.org/ HTTP/1.1\r\n${HOST}\r\n`],
    ["a URL without a host", `GET http:/// HTTP/1.1\r\n${HOST}\r\n`],
    ["an odd method", `G\x01T / HTTP/1.1\r\n${HOST}\r\n`],
    ["a long method", `${"G".repeat(5_000)} / HTTP/1.1\r\n${HOST}\r\n`],
    ["bare LF", `GET ${good} HTTP/1.1\n${HOST.trim()}\n\n`],
    ["bare CR", `GET ${good} HTTP/1.1\r${HOST.trim()}\r\r`],
    ["a folded header", `${get}${HOST}X: a\r\n  b\r\n\r\n`],
    ["a space before the colon", `${get}${HOST}X : a\r\n\r\n`],
    ["a header without a name", `${get}${HOST}: a\r\n\r\n`],
    ["a line that is no header", `${get}${HOST}nonsense\r\n\r\n`],
    ["two lengths", `${put}Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc`],
    [
      "a length and chunks",
      `${put}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ["a length below zero", `${put}Content-Length: -1\r\n\r\n`],
    ["a length with a sign", `${put}Content-Length: +3\r\n\r\nabc`],
    ["a length without end", `${put}Content-Length: ${"9".repeat(40)}\r\n\r\nabc`],
    ["chunks that are none", `${put}Transfer-Encoding: chunked\r\n\r\nzz\r\nnonsense\r\n`],
    ["a chunk without end", `${put}Transfer-Encoding: chunked\r\n\r\n${"f".repeat(40)}\r\nx`],
    ["an odd encoding", `${put}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`],
    ["another odd encoding", `${put}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
    ["a body that never comes", `${put}Content-Length: 5000\r\n\r\nabc`],
    ["more than it said", `${put}Content-Length: 1\r\n\r\n${"x".repeat(20_000)}`],
    ["a body of 1 MB", `${put}Content-Length: 1000000\r\n\r\n${"x".repeat(1_000_000)}`],
    ["GET with a body", `${get}${HOST}Content-Length: 5\r\n\r\nhello`],
    ["GET with half a body", `${get}${HOST}Content-Length: 5\r\n\r\nhe`],
    ["an odd expectation", `${put}Expect: the-unexpected\r\nContent-Length: 3\r\n\r\nabc`],
    ["Upgrade", `${get}${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ["h2c", `${get}${HOST}Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n`],
    ["half a request", get],
    ["half a line", "GE"],
    ["garbage behind a request", `${get}${HOST}\r\n\x00\x01\x02 garbage\r\n\r\n`],
    ["a hundred requests", `${get}${HOST}\r\n`.repeat(100)],
    ["a hundred, then half of one", `${get}${HOST}\r\n`.repeat(100) + get],
    ["CONNECT without a port", `CONNECT x HTTP/1.1\r\n${HOST}\r\n`],
    ["CONNECT to nothing", `CONNECT  HTTP/1.1\r\n${HOST}\r\n`],
    ["CONNECT to a path", `CONNECT /ipfs/x HTTP/1.1\r\n${HOST}\r\n`],
    ["CONNECT to a URL", `CONNECT http://x:80/ HTTP/1.1\r\n${HOST}\r\n`],
    ["CONNECT to TLS", `CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n\x16\x03\x01`],
    ["garbage in a tunnel", `CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n\x00\x01\x02\x03\r\n\r\n`],
    ["a tunnel in a tunnel", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n".repeat(20)],
    ["CONNECT with a body", `CONNECT x:80 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhello`],
  ];
}

/** All that comes back until the server has hung up, or has had time to. */
async function tell(url: string, bytes: string | Uint8Array): Promise<string> {
  const chunks: Buffer[] = [];
  const socket = open(url);
  const closed = once(socket, "close").catch(() => undefined);
  socket.on("error", () => undefined); // To be hung up on while one still talks is an answer, too.
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await Promise.race([closed, sleep(LISTEN_MS)]);
  socket.destroy();
  return Buffer.concat(chunks).toString("latin1");
}

suite("gateway: the wire", (test) => {
  test("nonsense is refused or hung up on, and the next who asks is served", async () => {
    await using gateway = await createHostileGateway();
    await using server = await serve(gateway.app, { port: 0 });
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", note);
    process.on("uncaughtException", note);
    try {
      const all = nonsense(gateway.fine.path);
      for (let i = 0; i < all.length; i += AT_ONCE) {
        const some = all.slice(i, i + AT_ONCE);
        await Promise.all(some.map(async ([what, bytes]) => {
          const answer = await tell(server.url, bytes);
          // Deno's server speaks HTTP/2 with who begins so.
          if (answer !== "" && what !== "HTTP/2 at once") {
            assert.match(answer, REFUSALS, `${what}: ${answer.slice(0, 300)}`);
          }
          assert.not.match(answer, /\/tmp\/|\.ts:\d|\n {4}at |undefined|\[object/, what);
        }));
        await served(server.url, gateway.fine, `after ${some.map(([what]) => what).join(", ")}`);
      }
      assert.equal(rejections, []);
    } finally {
      process.off("unhandledRejection", note);
      process.off("uncaughtException", note);
    }
    assert.equal(gateway.log, []);
  });

  test("a request cannot be smuggled in behind one whose end is in doubt", async () => {
    await using gateway = await createHostileGateway();
    await using server = await serve(gateway.app, { port: 0 });
    const inner = `GET ${gateway.fine.path} HTTP/1.1\r\n${HOST}\r\n`;
    const heads = [
      `Content-Length: 0\r\nContent-Length: ${inner.length}\r\n`,
      `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked, identity\r\n`,
      "Transfer-Encoding: identity, x\r\n",
    ];
    for (const head of heads) {
      const text = `POST /x HTTP/1.1\r\n${HOST}${head}\r\n${inner}`;
      const answer = await tell(server.url, text);
      assert.not.match(answer, gateway.fine.text, head);
    }
  });

  test("bytes of any kind, five hundred connections of them", async () => {
    await using gateway = await createHostileGateway();
    await using server = await serve(gateway.app, { port: 0 });
    const seed = Date.now() % 2 ** 31;
    const random = createRandom(seed);
    const good = `GET ${gateway.fine.path} HTTP/1.1\r\n${HOST}\r\n`;
    const garbled = Array.from({ length: 500 }, () => {
      const bytes = Buffer.from(good);
      for (let wrong = random.int(6); wrong >= 0; wrong--) {
        bytes[random.int(bytes.length)] = random.int(256);
      }
      return random.chance(0.8) ? bytes : random.bytes(random.int(3_000));
    });
    for (let i = 0; i < garbled.length; i += 100) {
      await Promise.all(garbled.slice(i, i + 100).map((bytes) => tell(server.url, bytes)));
      await served(server.url, gateway.fine, `seed ${seed}`);
    }
    assert.equal(gateway.log.filter((line) => /unexpected/.test(line)), [], `seed ${seed}`);
  });

  test("two hundred who send a byte now and then keep nobody from being served", async () => {
    await using gateway = await createHostileGateway();
    await using server = await serve(gateway.app, { port: 0 });
    const text = `GET ${gateway.fine.path} HTTP/1.1\r\n${HOST}X: ${"y".repeat(500)}`;
    const slow = await Promise.all(Array.from({ length: 200 }, () => connected(server.url)));
    for (let at = 0; at < 60; at++) {
      for (const socket of slow) socket.write(text[at]!);
      await sleep(50);
      if (at % 10 !== 9) continue;
      const start = Date.now();
      await served(server.url, gateway.fine, "beside slow clients");
      assert.ok(Date.now() - start < 2_500, `${Date.now() - start} ms`);
    }
    for (const socket of slow) socket.destroy();
  });
});

async function connected(url: string): Promise<Socket> {
  const socket = open(url);
  await once(socket, "connect");
  return socket;
}

async function served(url: string, fine: HostileGateway["fine"], what: string): Promise<void> {
  const { status, body } = await askRaw(url, fine.path, HOST.trim());
  assert.is(status, 200, what);
  assert.is(body, fine.text, what);
}
