/** One question to one DNS server over UDP and TCP, and what may happen to it on the way. */
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import process from "node:process";
import * as assert from "uvu/assert";
import { createTxtResolver, type TxtRecord } from "../../src/name/dns.ts";
import { NAME, RECORD, SHORT, ZONE } from "../helpers/dns-record.ts";
import { createDnsServer, FORGED, type Trouble } from "../helpers/dns-server.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

suite("name/dns-exchange", (test) => {
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
      await until("it is asked", () => server.queries.at(-1) === `${how} ${NAME}`);
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
});

function sorted(records: TxtRecord[]): TxtRecord[] {
  return records.toSorted((a, b) => a.data.length - b.data.length);
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
