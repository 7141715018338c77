import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import dns from "node:dns";
import { createServer } from "node:net";
import process from "node:process";
import { NethoodError } from "../../src/errors.ts";
import { createTxtResolver, type TxtRecord } from "../../src/name/dns.ts";
import { parseServer, systemServers } from "../../src/name/dns-servers.ts";
import { createDnsServer, FORGED, type Trouble } from "../helpers/dns-server.ts";
import { suite } from "../helpers/suite.ts";
import * as assert from "uvu/assert";

const NAME = "_dnslink.docs.example.org";
const RECORD: TxtRecord = { data: "dnslink=/ipfs/bafkqaaa", ttl: 77 };
const ZONE = { [NAME]: { txt: [RECORD.data], ttl: RECORD.ttl } };

/** Milliseconds a try takes at a server that says nothing: short, so that tests are. */
const SHORT = { timeout: 100 };

suite("name/dns", (test) => {
  test("gives every text its TTL", async () => {
    await using server = await createDnsServer({
      "a.example.org": { txt: ["one", "two words", ""], ttl: 300 },
      "b.example.org": { txt: ["three"], ttl: 5 },
    });
    const txt = createTxtResolver([server.address]);
    assert.equal(sorted(await txt("a.example.org")), [
      { data: "", ttl: 300 },
      { data: "one", ttl: 300 },
      { data: "two words", ttl: 300 },
    ]);
    assert.equal(await txt("b.example.org"), [{ data: "three", ttl: 5 }]);
    assert.equal(server.queries, ["udp a.example.org", "udp b.example.org"]);
  });

  test("joins the strings of a record as bytes", async () => {
    // 254 bytes and a letter of two: it is cut in the middle, where the first character string ends
    const text = "x".repeat(254) + "ü" + "y".repeat(300);
    await using server = await createDnsServer({ "a.example.org": { txt: [text], ttl: 60 } });
    assert.is((await createTxtResolver([server.address])("a.example.org"))[0]!.data, text);
  });

  test("takes names in any case, with or without the final dot", async () => {
    await using server = await createDnsServer(ZONE);
    const txt = createTxtResolver([server.address]);
    assert.equal(await txt(NAME.toUpperCase()), [RECORD]);
    assert.equal(await txt(`${NAME}.`), [RECORD]);
    // Servers may answer in a case of their own.
    server.trouble.garble = (message) => {
      for (let at = 12; at < 12 + NAME.length; at++) {
        if (message[at]! >= 0x61 && message[at]! <= 0x7a) message[at]! -= 0x20;
      }
      return message;
    };
    assert.equal(await txt(NAME), [RECORD]);
  });

  test("refuses a name that no DNS message can hold, before it asks anybody", async () => {
    await using server = await createDnsServer(ZONE);
    const txt = createTxtResolver([server.address]);
    const long = `${"a".repeat(63)}.`.repeat(4).slice(0, -1);
    for (const name of ["", ".", "a..b", ".a", `${"a".repeat(64)}.org`, long, "bücher.de", "a b"]) {
      const error = await failure(txt(name));
      assert.is(error.code, "BAD_ADDRESS", name);
    }
    assert.equal(server.queries, []);
    assert.equal(await txt(long.slice(0, 253).replace(/\.$/, "")), []);
  });

  test("a name without TXT records, or without existence, has none", async () => {
    await using server = await createDnsServer({ "empty.example.org": { txt: [], ttl: 60 } });
    await using other = await createDnsServer({
      "empty.example.org": { txt: ["x"], ttl: 60 },
      "none.example.org": { txt: ["x"], ttl: 60 },
    });
    const txt = createTxtResolver([server.address, other.address]);
    assert.equal(await txt("empty.example.org"), []);
    assert.equal(await txt("none.example.org"), []);
    assert.equal(other.queries, [], "a definite answer is the last one");
  });

  test("follows aliases, whose shortest TTL counts", async () => {
    await using server = await createDnsServer({
      "a.example.org": { cname: "b.example.org", ttl: 900 },
      "b.example.org": { cname: "C.example.org", ttl: 20 },
      "c.example.org": { txt: ["here"], ttl: 300 },
      "d.example.org": { cname: "c.example.org", ttl: 900 },
      "loop.example.org": { cname: "pool.example.org", ttl: 60 },
      "pool.example.org": { cname: "loop.example.org", ttl: 60 },
      "lost.example.org": { cname: "nowhere.example.net", ttl: 60 },
    });
    const txt = createTxtResolver([server.address]);
    assert.equal(await txt("a.example.org"), [{ data: "here", ttl: 20 }]);
    assert.equal(await txt("d.example.org"), [{ data: "here", ttl: 300 }]);
    assert.equal(await txt("loop.example.org"), []);
    assert.equal(await txt("lost.example.org"), []);
  });

  test("takes no text that is not the name's own", async () => {
    await using server = await createDnsServer(ZONE);
    // The answer's owner, which is written out in full, gets another first letter.
    server.trouble.garble = (message) => {
      const owner = message.indexOf("_dnslink", 12 + NAME.length);
      message[owner] = 0x78;
      return message;
    };
    assert.equal(await createTxtResolver([server.address])(NAME), []);
  });

  test("keeps TTLs between nothing and a week", async () => {
    await using server = await createDnsServer({
      "zero.example.org": { txt: ["x"], ttl: 0 },
      "week.example.org": { txt: ["x"], ttl: 604_801 },
      "huge.example.org": { txt: ["x"], ttl: 0xffff_ffff },
    });
    const txt = createTxtResolver([server.address]);
    assert.is((await txt("zero.example.org"))[0]!.ttl, 0);
    assert.is((await txt("week.example.org"))[0]!.ttl, 604_800);
    assert.is((await txt("huge.example.org"))[0]!.ttl, 604_800);
  });

  test("asks for long answers in one packet, and for longer ones over TCP", async () => {
    await using server = await createDnsServer({
      "long.example.org": { txt: ["l".repeat(900)], ttl: 60 },
      "longer.example.org": { txt: ["m".repeat(2_000), "n".repeat(30_000)], ttl: 60 },
    });
    const txt = createTxtResolver([server.address]);
    assert.is((await txt("long.example.org"))[0]!.data.length, 900);
    assert.equal(sorted(await txt("longer.example.org")).map(({ data }) => data.length), [
      2_000,
      30_000,
    ]);
    assert.equal(server.queries, [
      "udp long.example.org",
      "udp longer.example.org",
      "tcp longer.example.org",
    ]);
    const [edns] = server.packets[0]!.additionals!;
    assert.is(edns?.type === "OPT" && edns.udpPayloadSize, 1232);
    assert.ok(server.packets[0]!.flag_rd, "it wants the server to ask others");
  });

  test("asks over TCP even if a truncated answer ends within a record", async () => {
    await using server = await createDnsServer(ZONE, { trouble: { truncate: true } });
    assert.equal(await createTxtResolver([server.address])(NAME), [RECORD]);
    assert.equal(server.queries, [`udp ${NAME}`, `tcp ${NAME}`]);
  });

  for (const forge of ["id", "name", "type", "empty", "port", "query"] as const) {
    test(`ignores a forged answer (wrong ${forge})`, async () => {
      await using server = await createDnsServer(ZONE, { trouble: { forge } });
      const records = await createTxtResolver([server.address])(NAME);
      assert.not.equal(records[0]?.data, FORGED);
      assert.equal(records, [RECORD]);
      assert.is(server.queries.length, 1);
    });
  }

  test("gives a forger something to guess: a new id for every question", async () => {
    await using server = await createDnsServer(ZONE);
    const txt = createTxtResolver([server.address]);
    for (let n = 0; n < 8; n++) await txt(NAME);
    assert.ok(new Set(server.packets.map(({ id }) => id)).size > 6);
  });

  for (const noise of ["", "x", "not a DNS message"]) {
    test(`ignores noise of ${noise.length} bytes`, async () => {
      const trouble = { garble: () => Buffer.from(noise) };
      await using server = await createDnsServer(ZONE, { trouble });
      const error = await failure(createTxtResolver([server.address], SHORT)(NAME));
      assert.match(error.message, "(timeout)");
    });
  }

  test("keeps many lookups at once apart", async () => {
    const names = Array.from({ length: 60 }, (_, n) => `n${n}.example.org`);
    await using server = await createDnsServer(
      Object.fromEntries(names.map((name) => [name, { txt: [name], ttl: 60 }])),
    );
    const txt = createTxtResolver([server.address]);
    const found = await Promise.all(names.map((name) => txt(name)));
    assert.equal(found.map(([record]) => record!.data), names);
  });

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
    await until(() => server.queries.length === 1);
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

  const useless: [string, Trouble, RegExp][] = [
    ["a format error", { rcode: 1 }, /FORMERR/],
    ["a referral", { refer: true }, /referral/],
    ["an extended error, which reads as success without EDNS", { extendedRcode: 1 }, /extended/],
    ["a record cut short", { garble: (m) => m.subarray(0, 80) }, /malformed/],
    ["TCP as short as UDP", { truncate: "tcp" }, /truncated/],
    ["a TCP connection that ends early", { truncate: true, cut: 9 }, /connection closed/],
    ["a TCP connection that ends at once", { truncate: true, cut: 0 }, /connection closed/],
  ];
  for (const [what, trouble, said] of useless) {
    test(`does not take for an answer: ${what}`, async () => {
      await using server = await createDnsServer(ZONE, { trouble });
      const error = await failure(createTxtResolver([server.address], SHORT)(NAME));
      assert.is(error.code, "DNS_UNREACHABLE");
      assert.match(error.message, said);
    });
  }

  test("gives up on time if TCP hangs", async () => {
    await using server = await createDnsServer(ZONE, { trouble: { truncate: true } });
    const lookup = createTxtResolver([server.address], { timeout: 200 })(NAME);
    server.trouble.delay = 120; // once for UDP, once for TCP: together more than one try has
    assert.match((await failure(lookup)).message, "timeout");
  });

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

  for (const how of ["udp", "tcp", "http"]) {
    test(`an abort ends a question over ${how} at once, with its reason`, async () => {
      await using server = await createDnsServer(ZONE, { http: true });
      server.trouble.drop = how === "tcp" ? "tcp" : true;
      server.trouble.truncate = how === "tcp";
      await using other = await createDnsServer(ZONE);
      const txt = createTxtResolver([how === "http" ? server.url : server.address, other.address]);
      const stop = new AbortController();
      const reason = { why: "the reader has left" };
      const lookup = txt(NAME, { signal: stop.signal });
      await until(() => server.queries.at(-1) === `${how} ${NAME}`);
      const started = Date.now();
      stop.abort(reason);
      assert.is(await thrown(lookup), reason);
      assert.ok(Date.now() - started < 500);
      assert.equal(other.queries, [], "nobody else is asked");
    });
  }

  test("an abort before, or at once after, the call sends nothing more", async () => {
    await using server = await createDnsServer(ZONE);
    const txt = createTxtResolver([server.address]);
    const reason = new Error("changed my mind");
    assert.is(await thrown(txt(NAME, { signal: AbortSignal.abort(reason) })), reason);
    assert.equal(server.queries, []);
    const stop = new AbortController();
    const lookup = txt(NAME, { signal: stop.signal });
    stop.abort(reason);
    assert.is(await thrown(lookup), reason);
    assert.equal(await txt(NAME), [RECORD]);
  });

  test("leaves nothing open behind", async () => {
    await using good = await createDnsServer(ZONE, { http: true });
    await using short = await createDnsServer(ZONE, { trouble: { truncate: true } });
    await using silent = await createDnsServer(ZONE, { trouble: { drop: true }, http: true });
    const program = `
      import { createTxtResolver } from ${JSON.stringify(source("dns.ts"))};
      const long = { timeout: 60_000 }, brief = { timeout: 50 };
      for (const server of ${JSON.stringify([good.address, good.url, short.address])}) {
        if ((await createTxtResolver([server], long)("${NAME}")).length !== 1) throw new Error(server);
      }
      for (const server of ${JSON.stringify([silent.address, silent.url])}) {
        await createTxtResolver([server], brief)("${NAME}").then(() => { throw server }, () => {});
        const signal = AbortSignal.timeout(50);
        await createTxtResolver([server], long)("${NAME}", { signal }).catch(() => {});
      }
      console.log("done");
    `;
    assert.ok(await lingers(program) < 1_500);
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

function sorted(records: TxtRecord[]): TxtRecord[] {
  return records.toSorted((a, b) => a.data.length - b.data.length);
}

async function thrown(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.unreachable("it did not fail");
}

async function failure(promise: Promise<unknown>): Promise<NethoodError> {
  const error = await thrown(promise);
  if (error instanceof NethoodError) return error;
  throw error;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === "object" ? address.port : 0;
}

function source(file: string): string {
  return new URL(`../../src/name/${file}`, import.meta.url).href;
}

/** Milliseconds between a program's "done" and its end: something left open holds it up. */
async function lingers(program: string): Promise<number> {
  const args = process.versions.deno ? ["eval", program] : ["--input-type=module", "-e", program];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let done: number | undefined;
  child.stdout!.on("data", (chunk) => {
    if (String(chunk).includes("done")) done = Date.now();
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const code = await new Promise((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  assert.ok(done, "the program came to its end");
  const lingered = Date.now() - done;
  assert.is(code, 0, `it had to be killed after ${lingered} ms`);
  return lingered;
}
