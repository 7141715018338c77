/** Connections as programs use them: tunnels, several requests in one, and addresses of both kinds. Over sockets, byte for byte. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import * as assert from "uvu/assert";
import { serve } from "../../gateway/serve.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { type Answer, askRaw, open, parse, send } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

const tunnel = (to: string) => `CONNECT ${to} HTTP/1.1\r\nHost: ${to}\r\n\r\n`;
const get = (path: string, ...headers: string[]) =>
  [`GET ${path} HTTP/1.1`, `Host: ${SITE}`, ...headers, "", ""].join("\r\n");
const lastly = (path: string) => get(path, "Connection: close");

suite("gateway: connections", (test) => {
  test("a tunnel leads to the node itself, which goes on as if there were none", async () => {
    await using site = await createSite({ "index.html": "home", "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    const { url } = server;
    for (const to of [`${SITE}:80`, `${SITE}:8080`, new URL(url).host]) {
      const [connected, ...rest] = answers(
        await send(
          url,
          tunnel(to) + get("/a.txt") + get("/a.txt", "Range: bytes=0-0") + lastly("/"),
        ),
      );
      assert.is(connected!.status, 200, to);
      assert.is(connected!.body, "");
      assert.equal(rest.map(({ status }) => status), [200, 206, 200]);
      assert.equal(rest.map(({ body }) => body), ["a", "a", "home"]);
    }
    // As Go's client does it: the whole URL within the tunnel.
    const whole = lastly(`http://${SITE}/a.txt`);
    assert.is(answers(await send(url, tunnel("127.0.0.1:80") + whole))[1]!.body, "a");
    // And as curl does it: not before the tunnel stands.
    const socket = open(url);
    let text = "";
    socket.on("data", (bytes) => text += bytes.toString("latin1"));
    socket.write(tunnel(`${SITE}:80`));
    await until(() => text.includes("\r\n\r\n"));
    socket.write(lastly("/a.txt"));
    await once(socket, "close");
    assert.is(answers(text)[1]!.body, "a");
  });

  test("nothing is ever dialled, whatever a tunnel is to lead to", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    let connections = 0;
    const other = createServer((socket) => {
      connections++;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    for (const to of [`127.0.0.1:${port}`, `localhost:${port}`, "127.0.0.1:22", "nas.local:80"]) {
      const [connected, answer] = answers(await send(server.url, tunnel(to) + lastly("/a.txt")));
      assert.is(connected!.status, 200, to);
      assert.is(answer!.body, "a", to);
    }
    // A tunnel in a tunnel, and so on, is one connection more for nobody.
    const nested = answers(
      await send(server.url, tunnel(`${SITE}:80`).repeat(200) + lastly("/a.txt")),
    );
    assert.is(nested.length, 201);
    assert.is(nested.at(-1)!.body, "a");
    assert.is(connections, 0);
    assert.equal(site.dns.queries.filter((query) => /local|127/.test(query)), []);
    await new Promise((resolve) => other.close(resolve));
    assert.equal(site.log, []);
  });

  test("a tunnel for TLS is refused in words", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    const to = `CONNECT ${SITE}:443 HTTP/1.1\r\nHost: ${SITE}:443\r\nConnection: close\r\n\r\n`;
    const { status, body } = parse(await send(server.url, to));
    assert.is(status, 501);
    assert.match(body, "http:// addresses only");
  });

  test("several requests share a connection, and answers come in their order", async () => {
    await using site = await createSite({
      "a.txt": "a",
      "b.txt": "b".repeat(300_000),
      "empty": "",
    });
    await using server = await serve(site.app, { port: 0 });
    const head = `HEAD /b.txt HTTP/1.1\r\nHost: ${SITE}\r\n\r\n`;
    const options = `OPTIONS / HTTP/1.1\r\nHost: ${SITE}\r\n\r\n`;
    const post = `POST /a.txt HTTP/1.1\r\nHost: ${SITE}\r\nContent-Length: 4\r\n\r\nGET `;
    const all = answers(
      await send(
        server.url,
        get("/b.txt") + head + get("/missing") + post + get("/empty") + options +
          get("/b.txt", "Range: bytes=1-2") + get("/b.txt", "Range: bytes=400000-") +
          get("/a.txt", "If-None-Match: *") + lastly("/a.txt"),
      ),
    );
    const got = all.map(({ status, body }) => [status, body.length]);
    assert.equal(got[2]![0], 404);
    assert.equal(got[3]![0], 405);
    assert.equal(got.toSpliced(2, 2), [
      ...[[200, 300_000], [200, 0], [200, 0], [204, 0], [206, 2]],
      ...[[416, all[7]!.body.length], [304, 0], [200, 1]],
    ]);
    for (const { status, headers, body } of all.toSpliced(1, 1)) {
      const empty = status === 204 || status === 304;
      if (!empty) assert.is(Number(headers["content-length"]), body.length, `${status}`);
    }
  });

  test("an IPv6 address is an address, with and without a port", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await using server = await serve(site.app, { port: 0, hostname: "::1" });
    const { host } = new URL(server.url);
    for (const name of [host, "[::1]", "[2001:db8::1]:7080", "127.0.0.1:7080"]) {
      const path = `/ipns/${SITE}/a.txt`;
      assert.is((await askRaw(server.url, path, `Host: ${name}`)).body, "a", name);
      assert.is((await askRaw(server.url, `http://${name}${path}`, `Host: ${name}`)).body, "a");
    }
    const home = await askRaw(server.url, "/", `Host: ${host}`);
    assert.is(home.headers.location, `http://localhost:${new URL(server.url).port}/`);
    assert.match((await askRaw(server.url, "/", `Host: localhost`)).body, "<form");
    const guest = await askRaw(server.url, "/", "Host: [2001:db8::1]:7080");
    assert.match(guest.body, "http://[2001:db8::1]:7080/ipns/");
  });

  test("a tunnel keeps nothing from ending", async () => {
    await using site = await createSite({ "a.txt": "a" });
    const server = await serve(site.app, { port: 0 });
    const socket = open(server.url);
    const closed = once(socket, "close");
    socket.on("error", () => undefined); // Cut off is what it is to be.
    socket.write(tunnel(`${SITE}:80`) + get("/a.txt"));
    await once(socket, "data");
    const start = Date.now();
    await server.close({ grace: 300 });
    await closed;
    assert.ok(Date.now() - start < 2_000, `${Date.now() - start} ms`);

    // Nor does a client that leaves in the middle of one.
    await using again = await serve(site.app, { port: 0 });
    for (const to of [`${SITE}:80`, `${SITE}:443`]) {
      const gone = open(again.url);
      gone.write(tunnel(to));
      await once(gone, "data");
      gone.resetAndDestroy();
    }
    assert.is((await askRaw(again.url, "/a.txt", `Host: ${SITE}`)).body, "a");
  });
});

/** Every answer of a connection, each read by its `Content-Length`. */
function answers(text: string): Answer[] {
  const all: Answer[] = [];
  for (let at = text.indexOf("HTTP/1.1 "); at !== -1; at = text.indexOf("HTTP/1.1 ", at + 9)) {
    const next = text.indexOf("HTTP/1.1 ", at + 9);
    all.push(parse(text.slice(at, next === -1 ? undefined : next)));
  }
  return all;
}

async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !done(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
}
