/** The site's own name server, asked by the world's tools, by our resolver, and by those who mean it no good. */
import * as dns from "dns-packet";
import * as assert from "uvu/assert";
import { createTxtResolver } from "../../src/name/dns.ts";
import { createDnsLink } from "../../src/name/dnslink.ts";
import { createDnsServer, delegation } from "../../src/name/dns-server.ts";
import { kdig, question, sendUdp } from "../helpers/dns-client.ts";
import { refusal } from "../helpers/failure.ts";
import { knotAvailable } from "../helpers/knot.ts";
import { takePort } from "../helpers/port.ts";
import { suite } from "../helpers/suite.ts";

const SITE = "docs.example.org";
const NAME = `_dnslink.${SITE}`;
const TRACKER = `_nethood.${SITE}`;
const CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const LINK = `dnslink=/ipfs/${CID}`;

/** What the server tells; a test may change it while it runs. */
function start(texts: Record<string, string[]> = { [NAME]: [LINK], [TRACKER]: [] }) {
  return createDnsServer({ listen: "127.0.0.1:0", site: SITE, texts: () => texts });
}

suite("name/dns-server", (test, left) => {
  const missing = knotAvailable();
  if (missing) left("kdig", missing);
  else {
    test("any client is told the texts with authority, over UDP and TCP", async () => {
      await using server = await start();
      for (const way of ["+edns", "+tcp", "+noedns", "+dnssec"]) {
        const { status, flags, answer, text } = await kdig(server, way, "+rec", NAME, "TXT");
        assert.equal([status, flags], ["NOERROR", "qr aa rd"], `${way}: it asks nobody else`);
        assert.equal(answer, [`${NAME}. 60 IN TXT "${LINK}"`]);
        assert.is(text.includes("EDNS PSEUDOSECTION"), way === "+edns" || way === "+dnssec", way);
        assert.not.match(text, /;; (WARNING|ERROR)/);
      }
      const any = await kdig(server, NAME, "ANY");
      assert.equal(any.answer, [`${NAME}. 60 IN TXT "${LINK}"`]);
    });

    test("a zone of its own: SOA and NS; nothing else of the name, and nothing below it", async () => {
      await using server = await start();
      const soa =
        /^_dnslink\.docs\.example\.org\. 60 IN SOA nethood-ns\.docs\.example\.org\. nobody\.invalid\. \d{10} 3600 600 86400 60$/;
      const [record] = (await kdig(server, NAME, "SOA")).answer;
      assert.match(record!.replace(" 3600 IN", " 60 IN"), soa);
      const ns = await kdig(server, NAME, "NS");
      assert.equal(ns.answer, [`${NAME}. 3600 IN NS nethood-ns.${SITE}.`]);
      const cases: [string, string, string][] = [
        [NAME, "A", "NOERROR"],
        [NAME, "CAA", "NOERROR"],
        [`x.${NAME}`, "TXT", "NXDOMAIN"],
        [`a.b.${NAME}`, "A", "NXDOMAIN"],
      ];
      for (const [name, type, expected] of cases) {
        const { status, flags, answer, authority } = await kdig(server, "+norec", name, type);
        assert.equal([status, flags, answer], [expected, "qr aa", []], `${name} ${type}`);
        assert.match(authority[0]!, soa);
      }
      const empty = await kdig(server, TRACKER, "TXT");
      assert.equal([empty.status, empty.answer], ["NOERROR", []]);
    });

    test("of everything else it says nothing, and nothing may be done to it", async () => {
      await using server = await start();
      for (
        const [status, ...words] of [
          ["REFUSED", SITE, "A"],
          ["REFUSED", "example.org", "SOA"],
          ["REFUSED", `x${NAME}`, "TXT"],
          ["REFUSED", ".", "NS"],
          ["REFUSED", "+tcp", NAME, "AXFR"],
          ["REFUSED", NAME, "IXFR=1"],
          ["REFUSED", "-c", "CH", "version.bind", "TXT"],
          ["REFUSED", "-c", "CH", NAME, "TXT"],
          ["BADVERS", "+edns=1", NAME, "TXT"],
        ]
      ) {
        const told = await kdig(server, ...words).catch(({ message }) => ({ text: message }));
        assert.match(told.text, status!, words.join(" "));
        assert.not.match(told.text, /ANSWER SECTION|Flags:[^;]* aa/, words.join(" "));
      }
      const update = question(NAME);
      update[2] = 5 << 3;
      const [refused] = await sendUdp(server, [update]);
      assert.is(refused!.readUInt16BE(2), 0xa804, "an update's answer, no authority, NOTIMP");
      const answer = dns.encode({
        type: "response",
        id: 1,
        questions: [{ name: NAME, type: "TXT" }],
      });
      assert.equal(await sendUdp(server, [answer], { ms: 100 }), [], "an answer is not answered");
    });

    test("a long answer is cut for UDP, and whole over TCP", async () => {
      const texts = Array.from({ length: 9 }, (_, n) => `${LINK}/${n}${"x".repeat(200)}`);
      await using server = await start({ [NAME]: texts });
      const short = await kdig(server, "+bufsize=4096", "+ignore", NAME, "TXT");
      assert.equal([short.flags, short.answer], ["qr aa tc rd", []]);
      texts.length = 4;
      assert.is((await kdig(server, "+bufsize=4096", "+ignore", NAME, "TXT")).answer.length, 4);
      assert.is((await kdig(server, "+bufsize=700", "+ignore", NAME, "TXT")).flags, "qr aa tc rd");
      const [bytes] = await sendUdp(server, [question(NAME)]);
      assert.ok(bytes!.length <= 512);
      const whole = await kdig(server, NAME, "TXT");
      assert.is(whole.answer.length, 4);
      assert.is((await createTxtResolver([server.address])(NAME)).length, 4);
    });
  }

  test("readers' own resolver finds the site through it; news is told at once, under a new serial", async () => {
    const texts: Record<string, string[]> = { [NAME.toUpperCase()]: [LINK] };
    let now = 1_800_000_000_000;
    await using server = await createDnsServer({
      listen: "127.0.0.1:0",
      site: SITE,
      texts: () => texts,
      now: () => now,
    });
    const txt = createTxtResolver([server.address]);
    assert.equal(await createDnsLink(txt)(SITE), { value: `/ipfs/${CID}`, ttl: 60 });
    const serial = async () => {
      const [bytes] = await sendUdp(server, [question(NAME, "SOA")]);
      const [soa] = dns.decode(bytes!).answers!;
      return soa?.type === "SOA" ? soa.data.serial : undefined;
    };
    assert.is(await serial(), 1_800_000_000);
    assert.is(await serial(), 1_800_000_000);
    texts[NAME.toUpperCase()] = ["dnslink=/ipns/other"];
    assert.equal((await txt(NAME)).map(({ data }) => data), ["dnslink=/ipns/other"]);
    assert.is(await serial(), 1_800_000_001, "even within the same second");
    now += 60_000;
    texts[NAME.toUpperCase()] = [LINK];
    assert.is(await serial(), 1_800_000_060);
  });

  test("a question comes back in the case it was asked in", async () => {
    await using server = await start();
    for (const name of ["_DnSlInK.dOcS.eXaMpLe.OrG", "X.y._dnslink.DOCS.example.org"]) {
      const asked = question(name);
      const [bytes] = await sendUdp(server, [asked]);
      assert.equal(bytes!.subarray(12, asked.length), asked.subarray(12));
      const { answers = [], authorities = [] } = dns.decode(bytes!);
      assert.is([...answers, ...authorities][0]!.name, name.replace("X.y.", ""));
    }
  });

  test("what it cannot listen on is told; once stopped, its port is free", async () => {
    await using taken = await takePort();
    const cases: [string, "BAD_OPTION" | "PORT_IN_USE", RegExp][] = [
      [
        `127.0.0.1:${taken.port}`,
        "PORT_IN_USE",
        /Port \d+ of 127\.0\.0\.1 is in use by another DNS/,
      ],
      ["192.0.2.1:0", "BAD_OPTION", /cannot listen on 192\.0\.2\.1/],
      ["ns1.example.org:53", "BAD_OPTION", /"ns1\.example\.org:53" is not an address/],
      ["0.0.0.0:65536", "BAD_OPTION", /is not an address/],
      [":53", "BAD_OPTION", /is not an address/],
    ];
    for (const [listen, code, sentence] of cases) {
      const options = { listen, site: SITE, texts: () => ({}) };
      const { message } = await refusal(code, () => createDnsServer(options));
      assert.match(message, sentence);
    }
    const long = { listen: "127.0.0.1:0", site: `${"a.".repeat(120)}org`, texts: () => ({}) };
    await refusal("BAD_OPTION", () => createDnsServer(long));
    const first = await start();
    const listen = first.address;
    await first.stop();
    await using second = await createDnsServer({ listen, site: SITE, texts: () => ({}) });
    assert.is(second.address, listen);
    await using v6 = await createDnsServer({
      listen: "[::1]:0",
      site: SITE,
      texts: () => ({ [NAME]: [LINK] }),
    });
    assert.is((await createTxtResolver([v6.address])(NAME))[0]!.data, LINK);
  });

  test("the parent zone needs two lines", () => {
    assert.equal(delegation(SITE, [NAME], "203.0.113.5"), [
      `${NAME}. 3600 IN NS nethood-ns.${SITE}.`,
      `nethood-ns.${SITE}. 3600 IN A 203.0.113.5`,
    ]);
    assert.match(delegation(SITE, [NAME], "2001:db8::5")[1]!, / IN AAAA 2001:db8::5$/);
    assert.match(delegation(SITE, [NAME])[1]!, / IN A <this machine's public address>$/);
    assert.is(delegation(SITE, [NAME, TRACKER]).length, 3);
  });
});
