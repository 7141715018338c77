/** Sites under their ordinary addresses: by `Host`, or with the node as HTTP proxy. Over sockets, byte for byte. */
import * as assert from "uvu/assert";
import { serve } from "../../gateway/serve.ts";
import { createSite, SITE } from "../helpers/site.ts";
import { askRaw, parse, send } from "../helpers/socket.ts";
import { suite } from "../helpers/suite.ts";

suite("gateway: proxy and Host", (test) => {
  test("a site is found under every way to write its host", async () => {
    await using site = await createSite({ "index.html": "home", "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    const { url } = server;
    const { port } = new URL(url);
    for (
      const host of [SITE, `${SITE}:${port}`, "DOCS.Example.ORG", `${SITE}.`, `${SITE}.:80`]
    ) {
      assert.is((await askRaw(url, "/a.txt", `Host: ${host}`)).body, "a", host);
      assert.is((await askRaw(url, `http://${host}/a.txt?x`, `Host: ${host}`)).body, "a", host);
    }
    // In a proxy request the URL counts (RFC 9112, section 3.2.2).
    assert.is((await askRaw(url, `http://${SITE}/`, "Host: other.example")).body, "home");
    assert.is((await askRaw(url, `http://${SITE}`, `Host: ${SITE}`)).body, "home");
  });

  test("this machine's own names are its own, however they are written", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    const { url } = server;
    const path = `/ipns/${SITE}/a.txt`;
    for (const host of ["127.0.0.1", "[::1]:7080", "[::1]", "192.0.2.7:80"]) {
      assert.is((await askRaw(url, path, `Host: ${host}`)).body, "a", host);
    }
    for (const host of ["localhost", "LOCALHOST:7080", "localhost.:7080"]) {
      const { status, headers } = await askRaw(url, path, `Host: ${host}`);
      assert.is(status, 301, host);
      const port = host.includes(":") ? ":7080" : "";
      assert.is(headers.location, `http://docs-example-org.ipns.localhost${port}/a.txt`);
    }
    assert.is((await askRaw(url, "/", "Host: localhost.evil.example")).status, 404);
  });

  test("a host that is none is refused, and says nothing about this machine", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    for (const host of ["a b", "user@docs.example.org", "docs..example.org", "x".repeat(300)]) {
      const answer = await askRaw(server.url, "/a.txt", `Host: ${host}`);
      assert.is(answer.status, 400, host);
      assert.not.match(answer.body, /\/tmp|\.ts|at /);
    }
    assert.equal(site.log, []);
  });

  test("HEAD has no body, so that the next answer on the connection is read whole", async () => {
    await using site = await createSite({ "a.txt": "aaa" });
    await using server = await serve(site.app, { port: 0 });
    for (const path of ["/a.txt", "/missing", "/"]) {
      const text = await send(
        server.url,
        `HEAD ${path} HTTP/1.1\r\nHost: ${SITE}\r\n\r\n` +
          `GET /a.txt HTTP/1.1\r\nHost: ${SITE}\r\nConnection: close\r\n\r\n`,
      );
      const [head, ...next] = text.split(/(?=HTTP\/1\.1 )/);
      assert.is(next.length, 1, text);
      assert.is(parse(head!).body, "");
      assert.ok(Number(parse(head!).headers["content-length"]) > 0, head!);
      assert.is(parse(next[0]!).body, "aaa");
    }
  });

  test("a proxy changes nothing either", async () => {
    await using site = await createSite({ "a.txt": "a" });
    await using server = await serve(site.app, { port: 0 });
    const text = await send(
      server.url,
      `POST http://${SITE}/a.txt HTTP/1.1\r\nHost: ${SITE}\r\nContent-Length: 1\r\n` +
        "Connection: close\r\n\r\nx",
    );
    assert.is(parse(text).status, 405);
    assert.is(parse(text).headers.allow, "GET, HEAD, OPTIONS");
  });
});
