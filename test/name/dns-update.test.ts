/** A site's records, written into a real name server, and what a server may answer instead. */
import { createHash } from "node:crypto";
import * as assert from "uvu/assert";
import { createTxtResolver } from "../../src/name/dns.ts";
import { RCODE } from "../../src/name/dns-message.ts";
import { type OwnTexts, updateTexts } from "../../src/name/dns-update.ts";
import { parseKey, type UpdateServer } from "../../src/name/dns-update-server.ts";
import { refusal, thrown } from "../helpers/failure.ts";
import { createKnot, type Knot, knotAvailable, type KnotKey } from "../helpers/knot.ts";
import { freePort } from "../helpers/port.ts";
import { localhost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";
import {
  createUpdateServer,
  type Lie,
  type LyingServer,
  type UpdateServerOptions,
} from "../helpers/update-server.ts";

const NAME = "_dnslink.docs.example.org";
const LINK = "dnslink=/ipns/k51qzi5uqu5one";
const NEXT = "dnslink=/ipns/k51qzi5uqu5two";
const DAY_MS = 86_400_000;

const SECRET = createHash("sha256").update("the site's").digest("base64");
const OTHER = createHash("sha256").update("another").digest("base64");

const KEYS: KnotKey[] = [
  { name: "site", algorithm: "hmac-sha256", secret: SECRET, mayUpdate: true },
  { name: "long.example", algorithm: "hmac-sha512", secret: SECRET, mayUpdate: true },
  { name: "old", algorithm: "hmac-sha1", secret: SECRET, mayUpdate: true },
  { name: "reader", algorithm: "hmac-sha256", secret: SECRET, mayUpdate: false },
];

function link(...texts: string[]): OwnTexts {
  return { name: NAME, prefix: "dnslink=", texts };
}

/** A server on loopback, with a key in the form that `tsig=` takes. */
function at(port: number, key = `site:${SECRET}`, zone?: string): UpdateServer {
  return { text: "ns1.example.org", host: "127.0.0.1", port, zone, key: parseKey(key) };
}

/** What any DNS client in the world is told. */
async function kdig({ port }: Knot, ...words: string[]): Promise<string[]> {
  const args = ["@127.0.0.1", "-p", `${port}`, "+short", ...words];
  return (await localhost.run("kdig", args)).split("\n").filter(Boolean).sort();
}

async function serial(knot: Knot): Promise<number> {
  return Number((await kdig(knot, "example.org", "SOA"))[0]!.split(" ")[2]);
}

suite("name/dns-update", (test, left) => {
  const missing = knotAvailable();
  if (missing) left("a real name server", missing);
  else {
    test("a name server holds the link at once, under TTL 60; a second time changes nothing", async () => {
      await using knot = await createKnot({ records: [], keys: KEYS });
      const first = await updateTexts(at(knot.port), link(LINK));
      assert.equal(first, {
        name: NAME,
        zone: "example.org",
        changed: true,
        removed: [],
        added: [LINK],
      });
      assert.equal(await kdig(knot, NAME, "TXT"), [`"${LINK}"`]);
      const txt = createTxtResolver([knot.server]);
      assert.equal(await txt(NAME), [{ data: LINK, ttl: 60 }]);

      const before = await serial(knot);
      const second = await updateTexts(at(knot.port), link(LINK));
      assert.is(second.changed, false);
      assert.is(await serial(knot), before);

      const third = await updateTexts(at(knot.port), link(NEXT));
      assert.equal([third.removed, third.added], [[LINK], [NEXT]]);
      assert.equal(await kdig(knot, NAME, "TXT"), [`"${NEXT}"`]);
      assert.ok(await serial(knot) > before);
    });

    test("what others wrote at the name stays, to the byte; several texts, and none", async () => {
      const long = "x".repeat(300);
      await using knot = await createKnot({
        records: [
          `_dnslink.docs 300 IN TXT "v=verify" "two strings"`,
          `_dnslink.docs 300 IN TXT "\\200\\255" "${"y".repeat(255)}"`,
          `_dnslink.docs 300 IN TXT "xdnslink=/ipfs/old"`,
          `_dnslink.docs 300 IN TXT "dnslink=/ipfs/old"`,
          `_dnslink.docs 300 IN TXT "dnslink=" "/ipfs/older"`,
        ],
        keys: KEYS,
      });
      const foreign = (await kdig(knot, NAME, "TXT")).filter((text) =>
        !text.startsWith('"dnslink')
      );
      assert.is(foreign.length, 3);
      await updateTexts(at(knot.port), link(LINK));
      assert.equal(await kdig(knot, NAME, "TXT"), [`"${LINK}"`, ...foreign].sort());

      const tracker = { name: "_nethood.docs.example.org", prefix: "tracker=" };
      const texts = ["tracker=https://a.example.org", `tracker=https://b.example.org/${long}`];
      await updateTexts(at(knot.port), { ...tracker, texts });
      const txt = createTxtResolver([knot.server]);
      assert.equal((await txt(tracker.name)).map(({ data }) => data).sort(), texts);
      const fewer = await updateTexts(at(knot.port), { ...tracker, texts: [] });
      assert.equal(fewer.removed.toSorted(), texts);
      assert.equal(await txt(tracker.name), []);
      await updateTexts(at(knot.port), link());
      assert.equal(await kdig(knot, NAME, "TXT"), foreign);
    });

    test("a wildcard's texts are not taken for the name's own", async () => {
      await using knot = await createKnot({
        records: [`* 60 IN TXT "v=spf1 -all"`, `* 60 IN TXT "${LINK}"`],
        keys: KEYS,
      });
      await updateTexts(at(knot.port), link(NEXT));
      assert.equal(await kdig(knot, NAME, "TXT"), [`"${NEXT}"`]);
      assert.is((await kdig(knot, "other.example.org", "TXT")).length, 2, "the wildcard is there");
    });

    test("every algorithm, a name in any case, and a zone that is named", async () => {
      await using knot = await createKnot({ records: [], keys: KEYS });
      const keys = [`Long.Example:HMAC-SHA512:${SECRET}`, `hmac-sha1:old:${SECRET}`];
      for (const [n, key] of keys.entries()) {
        const server = at(knot.port, key, "example.org");
        const { changed } = await updateTexts(server, {
          ...link(`dnslink=/ipfs/${n}`),
          name: "_DNSLink.Docs.example.org.",
        });
        assert.ok(changed, key);
        assert.equal(await kdig(knot, NAME, "TXT"), [`"dnslink=/ipfs/${n}"`]);
      }
    });

    test("two who write at the same time are both heard", async () => {
      await using knot = await createKnot({ records: [], keys: KEYS });
      const texts = ["a=1", "b=2", "c=3"];
      await Promise.all(
        texts.map((text) =>
          updateTexts(at(knot.port), { name: NAME, prefix: text.slice(0, 2), texts: [text] })
        ),
      );
      assert.equal(await kdig(knot, NAME, "TXT"), texts.map((text) => `"${text}"`));
      // Of several who mean the same record, the last one does: never two links at once.
      const links = [1, 2, 3].map((n) => link(`dnslink=/ipfs/${n}`));
      await Promise.all(links.map((own) => updateTexts(at(knot.port), own)));
      const left = (await kdig(knot, NAME, "TXT")).filter((text) => text.startsWith('"dnslink'));
      assert.is(left.length, 1, left.join());
    });

    test("a text that a person has put there stays as they did it", async () => {
      await using knot = await createKnot({
        records: [`_dnslink.docs 300 IN TXT "${LINK}"`],
        keys: KEYS,
      });
      const before = await serial(knot);
      assert.is((await updateTexts(at(knot.port), link(LINK))).changed, false);
      assert.is(await serial(knot), before);
      assert.is((await createTxtResolver([knot.server])(NAME))[0]!.ttl, 300);
    });

    test("what a server refuses is told in words, without the secret, and nothing changes", async () => {
      await using knot = await createKnot({
        records: [
          "_dnslink.alias 60 IN CNAME docs",
          "away 60 IN NS ns.example.net.",
          `_dnslink.docs 60 IN TXT "${LINK}"`,
        ],
        keys: KEYS,
      });
      const { port } = knot;
      const away = "_dnslink.away.example.org";
      const cases: [RegExp, UpdateServer, string?, number?][] = [
        [/knows no key "nobody" \(hmac-sha256\)/, at(port, `nobody:${SECRET}`)],
        [/knows no key "site" \(hmac-sha384\)/, at(port, `site:hmac-sha384:${SECRET}`)],
        [/knows no key "reader" .* that may change example\.org/, at(port, `reader:${SECRET}`)],
        [/"site" \(hmac-sha256\), but has another secret for it/, at(port, `site:${OTHER}`)],
        [
          /clock is 24 h ahead of that of the name server ns1\.example\.org/,
          at(port),
          NAME,
          DAY_MS,
        ],
        [/clock is 3 days behind that of/, at(port), NAME, -3 * DAY_MS],
        [/clock is 10 min ahead/, at(port), NAME, DAY_MS / 144],
        [/not in charge of the zone example\.net/, at(port, undefined, "example.net")],
        [
          /no zone that holds _dnslink\.example\.net \(it says REFUSED\)/,
          at(port),
          "_dnslink.example.net",
        ],
        [/is an alias \(CNAME\) of docs\.example\.org/, at(port), "_dnslink.alias.example.org"],
        [/handed away\.example\.org, and .* with it, to other/, at(port), away],
      ];
      const before = await serial(knot);
      for (const [sentence, server, name = NAME, off = 0] of cases) {
        const now = () => Date.now() + off;
        // The link is there already: a wrong key is told even so.
        const change = updateTexts(server, { ...link(LINK), name }, { now });
        const { message, hint } = await refusal("DNS_UPDATE_FAILED", () => change);
        assert.match(message, sentence);
        assert.match(hint!, /^[A-Z].*\.$/);
        assert.not.ok(`${message}${hint}`.includes(SECRET.slice(0, 8)));
      }
      assert.is(await serial(knot), before);
    });
  }

  test("a server that is gone, or says nothing, is told of; an abort ends it with its reason", async () => {
    const gone = await refusal(
      "DNS_UNREACHABLE",
      async () => updateTexts(at(await freePort()), link(LINK), { timeout: 100 }),
    );
    assert.match(gone.message, /ns1\.example\.org gave no answer \(TCP: connection refused, UDP: /);
    for (const silent of ["to updates", "to all"] as const) {
      await using server = await createUpdateServer(liar({ silent }));
      const slow = updateTexts(at(server.port), link(LINK), { timeout: 100 });
      const { message } = await refusal("DNS_UNREACHABLE", () => slow);
      assert.match(message, /TCP: timeout, UDP: timeout/);
      const stop = new AbortController();
      const waiting = updateTexts(at(server.port), link(LINK), { signal: stop.signal });
      const asked = server.unanswered;
      await until("it is asked", () => server.unanswered > asked);
      const began = Date.now();
      stop.abort("enough");
      assert.is(await thrown(waiting), "enough");
      assert.ok(Date.now() - began < 1_000);
    }
  });

  const lies: [Lie, RegExp][] = [
    ["not at all", /does not prove it: it is not signed/],
    ["with another secret", /its signature is wrong/],
    ["for another request", /its signature is wrong/],
    ["yesterday", /its signature is of another time/],
    ["then changed", /its signature is wrong/],
    ["then followed by more", /is not where it belongs/],
    ["in the wrong place", /is not where it belongs/],
    ["with half a signature", /its signature is wrong/],
  ];
  for (const tcp of [true, false]) {
    test(`success is believed only where it is signed, over ${tcp ? "TCP" : "UDP"}`, async () => {
      for (const [lie, sentence] of lies) {
        await using server = await createUpdateServer(liar({ lie, tcp }));
        const change = updateTexts(at(server.port), link(LINK), { timeout: 150 });
        const { message } = await refusal("DNS_UPDATE_FAILED", () => change);
        assert.match(message, sentence, lie);
      }
      await using honest = await createUpdateServer(liar({ tcp }));
      assert.ok((await updateTexts(at(honest.port), link(LINK))).changed);
      assert.equal(honest.updates.map(({ way }) => way), [tcp ? "tcp" : "udp"]);
      await using right = await createUpdateServer(liar({ tcp, texts: ["foreign", LINK] }));
      assert.not.ok((await updateTexts(at(right.port), link(LINK))).changed);
      const [{ update }] = right.updates as [LyingServer["updates"][0]];
      assert.equal([update.answers.length, update.authorities.length], [2, 0], "it only asks");
    });
  }

  test("over UDP, the true answer is waited for behind a forged one", async () => {
    const lie = "with another secret";
    await using server = await createUpdateServer(liar({ lie, tcp: false, truthAfter: 50 }));
    assert.ok((await updateTexts(at(server.port), link(LINK))).changed);
    assert.is(server.updates.length, 1);
  });

  test("a name that never stays the same, a resolver, and servers without updates", async () => {
    const cases: [Partial<UpdateServerOptions>, RegExp][] = [
      [
        { texts: ["foreign"], rcode: RCODE.NXRRSET },
        /Somebody else was changing .* again and again/,
      ],
      [{ resolver: true }, /only tells about example\.org what others told it/],
      [{ rcode: RCODE.NOTIMP, lie: "not at all" }, /takes no updates/],
      [{ rcode: RCODE.REFUSED }, /does not let the key "site" \(hmac-sha256\) change _dnslink/],
      [{ rcode: RCODE.NOTZONE }, /_dnslink\.docs\.example\.org is not in the zone example\.org/],
      [{ rcode: RCODE.SERVFAIL }, /did not change .*: it says SERVFAIL/],
    ];
    for (const [trouble, sentence] of cases) {
      await using server = await createUpdateServer(liar(trouble));
      const change = updateTexts(at(server.port), link(LINK));
      assert.match((await refusal("DNS_UPDATE_FAILED", () => change)).message, sentence);
      assert.ok(server.updates.length <= 4);
    }
  });
});

function liar(options: Partial<UpdateServerOptions>): UpdateServerOptions {
  return { key: parseKey(`site:${SECRET}`), zone: "example.org", ...options };
}
