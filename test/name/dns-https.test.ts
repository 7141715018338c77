/** Questions to a DNS server over HTTPS (RFC 8484). */
import * as assert from "uvu/assert";
import { createTxtResolver } from "../../src/name/dns.ts";
import { NAME, RECORD, SHORT, ZONE } from "../helpers/dns-record.ts";
import { createDnsServer, type Trouble } from "../helpers/dns-server.ts";
import { failure } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

suite("name/dns-https", (test) => {
  test("asks over HTTPS with id 0", async () => {
    await using server = await createDnsServer(ZONE, { http: true });
    assert.equal(await createTxtResolver([server.url])(NAME), [RECORD]);
    assert.equal(server.queries, [`http ${NAME}`]);
    assert.is(server.packets[0]!.id, 0);
  });

  test("takes an HTTP answer's age and a content type with parameters", async () => {
    const headers = { "content-type": "Application/DNS-Message; charset=x", age: "70" };
    await using server = await createDnsServer(ZONE, {
      http: true,
      trouble: { http: { headers } },
    });
    const txt = createTxtResolver([server.url]);
    assert.equal(await txt(NAME), [{ ...RECORD, ttl: 7 }]);
    headers.age = "80";
    assert.equal(await txt(NAME), [{ ...RECORD, ttl: 0 }]);
  });

  const uselessHttp: [string, Trouble, RegExp][] = [
    ["another content type", { http: { headers: { "content-type": "text/html" } } }, /text\/html/],
    ["an error page", { http: { status: 404 } }, /HTTP 404/],
    ["an oversized body", { http: { body: new Uint8Array(70_000) } }, /64 KiB/],
    ["an empty body", { http: { body: new Uint8Array() } }, /something else/],
    ["a failure", { rcode: 2 }, /SERVFAIL/],
    ["truncation", { garble: (m) => (m[2]! |= 2, m) }, /truncated/],
    ["another id", { garble: (m) => (m[0] = 9, m) }, /something else/],
    ["silence", { drop: true }, /timeout/],
  ];
  for (const [what, trouble, said] of uselessHttp) {
    test(`does not take for an answer over HTTP: ${what}`, async () => {
      await using server = await createDnsServer(ZONE, { http: true, trouble });
      const error = await failure(createTxtResolver([server.url], SHORT)(NAME));
      assert.is(error.code, "DNS_UNREACHABLE");
      assert.match(error.message, said);
    });
  }

  test("does not let an HTTP server send it elsewhere", async () => {
    await using target = await createDnsServer(ZONE, { http: true });
    await using server = await createDnsServer(ZONE, {
      http: true,
      trouble: { http: { status: 307, headers: { location: target.url } } },
    });
    assert.match((await failure(createTxtResolver([server.url])(NAME))).message, "HTTP 307");
    assert.equal(target.queries, []);
  });
});
