/** Which DNS servers are asked, how they are written, and what is told where none of them answers. */
import dns from "node:dns";
import * as assert from "uvu/assert";
import { NethoodError } from "../../src/errors.ts";
import { createTxtResolver } from "../../src/name/dns.ts";
import { parseServer, systemServers } from "../../src/name/dns-servers.ts";
import { NAME, RECORD, SHORT, ZONE } from "../helpers/dns-record.ts";
import { createDnsServer } from "../helpers/dns-server.ts";
import { failure } from "../helpers/failure.ts";
import { freePort } from "../helpers/port.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

suite("name/dns-servers", (test) => {
  test("asks the next server if one says nothing or nothing useful", async () => {
    for (const trouble of [{ drop: true }, { rcode: 2 }, { rcode: 5 }, { refer: true }]) {
      await using first = await createDnsServer({}, { trouble });
      await using second = await createDnsServer(ZONE);
      const txt = createTxtResolver([first.address, second.address], SHORT);
      assert.equal(await txt(NAME), [RECORD]);
      assert.equal([first.queries.length, second.queries.length], [1, 1]);
    }
  });

  test("asks again after a lost packet", async () => {
    await using server = await createDnsServer(ZONE, { trouble: { drop: true } });
    const lookup = createTxtResolver([server.address], { timeout: 300 })(NAME);
    await until("it is asked", () => server.queries.length === 1);
    server.trouble.drop = false;
    assert.equal(await lookup, [RECORD]);
    assert.is(server.queries.length, 2);
  });

  test("asks in two rounds, the second without EDNS", async () => {
    await using first = await createDnsServer({}, { trouble: { drop: true } });
    await using second = await createDnsServer(ZONE, { trouble: { drop: "edns" } });
    const txt = createTxtResolver([first.address, second.address], SHORT);
    assert.equal(await txt(NAME), [RECORD]);
    assert.equal([first.queries.length, second.queries.length], [2, 2]);
    assert.equal(second.packets.map(({ additionals }) => additionals!.length), [1, 0]);
  });

  test("says who was asked, and what each said", async () => {
    await using silent = await createDnsServer({}, { trouble: { drop: true } });
    await using broken = await createDnsServer({}, { trouble: { rcode: 2 } });
    await using closed = await createDnsServer({}, { trouble: { rcode: 5 } });
    await using busy = await createDnsServer({}, {
      http: true,
      trouble: { http: { status: 503 } },
    });
    const txt = createTxtResolver(
      [silent.address, broken.address, closed.address, busy.url],
      SHORT,
    );
    const error = await failure(txt(NAME));
    assert.is(error.code, "DNS_UNREACHABLE");
    assert.is(error.status, 502);
    assert.is(
      error.message,
      `No DNS server gave an answer about ${NAME}: ${silent.address} (timeout); ` +
        `${broken.address} (SERVFAIL); ${closed.address} (REFUSED); ${busy.url} (HTTP 503).`,
    );
    assert.match(error.hint!, "--dns");
    assert.instance(error.cause, AggregateError);
    assert.is((error.cause as AggregateError).errors.length, 8);
  });

  test("says so where nobody listens", async () => {
    const port = await freePort();
    for (const server of [`127.0.0.1:${port}`, `http://127.0.0.1:${port}/dns-query`]) {
      const error = await failure(createTxtResolver([server], SHORT)(NAME));
      assert.is(error.code, "DNS_UNREACHABLE");
      assert.match(error.message, server);
      // Deno hears no ICMP on UDP sockets, and its fetch gives no reason.
      assert.match(error.message, /\((connection refused|timeout|no connection)\)/);
    }
  });

  test("reads every way to write a server", () => {
    const plain = (text: string) => {
      const server = parseServer(text);
      return server.kind === "plain" && [server.host, server.port];
    };
    assert.equal(plain("127.0.0.1"), ["127.0.0.1", 53]);
    assert.equal(plain("127.0.0.1:5353"), ["127.0.0.1", 5353]);
    assert.equal(plain("::1"), ["::1", 53]);
    assert.equal(plain("[::1]"), ["::1", 53]);
    assert.equal(plain("[0:0:0:0:0:0:0:1]:5353"), ["::1", 5353]);
    assert.equal(plain("2001:DB8:0::1"), ["2001:db8::1", 53]);
    assert.equal(plain("[fe80::1%eth0]:5353"), ["fe80::1%eth0", 5353]);
    assert.equal(plain("udp://127.0.0.1"), ["127.0.0.1", 53]);
    assert.equal(plain("udp://dns.example:5353/"), ["dns.example", 5353]);
    assert.equal(plain("udp://[::1]:5353"), ["::1", 5353]);
    const url = (text: string) => {
      const server = parseServer(text);
      return server.kind === "https" && server.url;
    };
    assert.is(url("https://dns.example/dns-query"), "https://dns.example/dns-query");
    assert.is(url("HTTPS://dns.example:8443/x?y"), "https://dns.example:8443/x?y");
    for (const host of ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"]) {
      assert.is(url(`http://${host}/dns-query`), `http://${host}/dns-query`);
    }
  });

  test("refuses what is no server, at once and with examples", () => {
    const wrong = [
      "",
      "dns.example",
      "localhost",
      "1.1.1",
      "1.1.1.256",
      "1.1.1.1:",
      "1.1.1.1:0",
      "1.1.1.1:65536",
      "1.1.1.1:x",
      "1.1.1.1 ",
      "[::1",
      "[::1]5353",
      "[1.1.1.1]:53",
      ":::1",
      "::1:5353:x",
      "udp://",
      "udp://1.1.1.256",
      "udp://a b",
      "tls://1.1.1.1",
      "https://",
      "https://user:secret@dns.example/dns-query",
      "http://dns.example/dns-query",
      "http://10.0.0.1/dns-query",
      "http://127.evil.example/dns-query",
      "http://localhost.evil.example/dns-query",
    ];
    for (const text of wrong) {
      let error: unknown;
      try {
        createTxtResolver(["127.0.0.1", text]);
      } catch (thrown) {
        error = thrown;
      }
      assert.ok(error instanceof NethoodError, text);
      assert.is(error.code, "BAD_OPTION", text);
      assert.match(error.message, `"${text}"`);
      assert.match(error.hint!, "127.0.0.1:5353");
      assert.match(error.hint!, "https://");
    }
  });

  test("reaches a server by every way to write it", async () => {
    await using v4 = await createDnsServer(ZONE);
    await using v6 = await createDnsServer(ZONE, { host: "::1", http: true });
    const ways = [
      `udp://${v4.address}`,
      `udp://localhost:${v4.port}`,
      v6.address,
      `[0:0:0:0:0:0:0:1]:${v6.port}`,
      v6.url,
    ];
    for (const way of ways) assert.equal(await createTxtResolver([way])(NAME), [RECORD], way);
    v6.trouble.truncate = true;
    assert.equal(await createTxtResolver([v6.address])(NAME), [RECORD]);
    v6.trouble.forge = "port";
    v6.trouble.truncate = false;
    assert.equal(await createTxtResolver([v6.address])(NAME), [RECORD]);
  });

  test("asks the system's servers, each once, if none is named", async () => {
    await using server = await createDnsServer(ZONE);
    const before = [...new Set(dns.getServers())];
    try {
      dns.setServers([server.address]);
      assert.equal(systemServers().map(({ text }) => text), [server.address]);
      assert.equal(await createTxtResolver()(NAME), [RECORD]);
      assert.equal(await createTxtResolver([])(NAME), [RECORD]);
      assert.is(server.queries.length, 2);
      dns.setServers([server.address, "127.0.0.9", server.address]);
      assert.equal(systemServers().map(({ text }) => text), [server.address, "127.0.0.9"]);
    } finally {
      dns.setServers(before);
    }
  });
});
