import * as assert from "uvu/assert";
import { createTxtResolver, type TxtResolver } from "../../src/name/dns.ts";
import { createDnsLink } from "../../src/name/dnslink.ts";
import { createDnsServer, type DnsServer, type Zone } from "../helpers/dns-server.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

const CID_A = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const CID_B = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const A = `/ipfs/${CID_A}`;
const B = `/ipfs/${CID_B}`;

/** One name with one DNSLink: all that most tests need. */
function zone(ttl = 60, value = A): Zone {
  return { "_dnslink.example.org": { txt: [`dnslink=${value}`], ttl } };
}

function setUp(server: DnsServer) {
  return createDnsLink(createTxtResolver([server.address], { timeout: 100 }));
}

suite("name/dnslink", (test) => {
  test("reads the record at the prefixed name, and asks nothing else", async () => {
    await using server = await createDnsServer({
      ...zone(60, `${A}/docs/index.html`),
      "example.org": { txt: [`dnslink=${B}`], ttl: 60 },
    });
    const dnsLink = setUp(server);
    assert.equal(await dnsLink("example.org"), { value: `${A}/docs/index.html`, ttl: 60 });
    assert.equal(server.queries, ["udp _dnslink.example.org"]);
  });

  test("asks the bare name if the prefixed one has no DNSLink", async () => {
    await using server = await createDnsServer({
      "a.example.org": { txt: ["v=spf1 -all", `dnslink=${A}`], ttl: 60 },
      "_dnslink.b.example.org": { txt: ["something else", `xdnslink=${B}`], ttl: 60 },
      "b.example.org": { txt: [`dnslink=${A}`], ttl: 30 },
    });
    const dnsLink = setUp(server);
    assert.equal(await dnsLink("a.example.org"), { value: A, ttl: 60 });
    assert.equal(await dnsLink("b.example.org"), { value: A, ttl: 30 });
    assert.equal(server.queries, [
      "udp _dnslink.a.example.org",
      "udp a.example.org",
      "udp _dnslink.b.example.org",
      "udp b.example.org",
    ]);
  });

  test("a broken record at the prefixed name does not bring an old one back", async () => {
    await using server = await createDnsServer({
      ...zone(60, "/ipfs/nonsense"),
      "example.org": { txt: [`dnslink=${B}`], ttl: 60 },
    });
    assert.is((await failure(setUp(server)("example.org"))).code, "NO_DNSLINK");
  });

  test("of several records takes the first, ipfs before ipns", async () => {
    const txt = ["dnslink=/ipns/a.example.net", `dnslink=${A}`, `dnslink=${B}`];
    await using server = await createDnsServer({ "_dnslink.example.org": { txt, ttl: 60 } });
    for (const order of [txt, txt.toReversed(), [txt[1]!, txt[0]!, txt[2]!]]) {
      server.zone["_dnslink.example.org"] = { txt: order, ttl: 60 };
      assert.is((await setUp(server)("example.org")).value, A);
    }
    server.zone["_dnslink.example.org"] = {
      txt: ["dnslink=/ipns/b.example.net", "dnslink=/ipns/a.example.net"],
      ttl: 60,
    };
    assert.is((await setUp(server)("example.org")).value, "/ipns/a.example.net");
  });

  test("ignores records that lead nowhere", async () => {
    const broken = [
      "dnslink=",
      "dnslink=/ipfs",
      "dnslink=/ipfs/",
      "dnslink=/ipfs//x",
      "dnslink=/ipfs/Qmnotacid",
      "dnslink=/ipns/",
      "dnslink=/ipns/-",
      "dnslink=/swarm/abc",
      `dnslink=${CID_A}`,
      "dnslink=http://example.net/",
      `dnslink= ${A}`,
      `dnslink=${A}/%zz`,
      `DNSLINK=${A}`,
      "unrelated",
    ];
    await using server = await createDnsServer({
      "_dnslink.example.org": { txt: [...broken, `dnslink=${B}`], ttl: 60 },
      "_dnslink.b.example.org": { txt: broken, ttl: 60 },
    });
    const dnsLink = setUp(server);
    assert.is((await dnsLink("example.org")).value, B);
    assert.is((await failure(dnsLink("b.example.org"))).code, "NO_DNSLINK");
  });

  test("says which name has no DNSLink, and what to do about it", async () => {
    await using server = await createDnsServer({});
    const error = await failure(setUp(server)("Example.org"));
    assert.is(error.code, "NO_DNSLINK");
    assert.is(error.status, 404);
    assert.match(error.message, "example.org has no DNSLink");
    assert.match(error.message, "_dnslink.example.org");
    assert.match(error.hint!, "dnslink=/ipfs/<cid>");
  });

  test("follows an alias of the prefixed name, whose shorter TTL counts", async () => {
    await using server = await createDnsServer({
      "_dnslink.example.org": { cname: "_dnslink.host.example", ttl: 9 },
      "_dnslink.host.example": { txt: [`dnslink=${A}`], ttl: 60 },
    });
    assert.equal(await setUp(server)("example.org"), { value: A, ttl: 9 });
  });

  test("does not say there is none while the bare name cannot be asked", async () => {
    await using server = await createDnsServer({});
    const txt = createTxtResolver([server.address], { timeout: 100 });
    const half: TxtResolver = (name, options) => {
      if (name === "example.org") server.trouble.rcode = 2;
      return txt(name, options);
    };
    const error = await failure(createDnsLink(half)("example.org"));
    assert.is(error.code, "DNS_UNREACHABLE");
  });

  test("takes a name in every spelling", async () => {
    await using server = await createDnsServer({
      ...zone(),
      "_dnslink.xn--bcher-kva.example": { txt: [`dnslink=${B}`], ttl: 60 },
    });
    const dnsLink = setUp(server);
    for (const name of ["example.org", "EXAMPLE.Org", "example.org.", "ｅxample。org"]) {
      assert.is((await dnsLink(name)).value, A, name);
    }
    for (const name of ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"]) {
      assert.is((await dnsLink(name)).value, B, name);
    }
    assert.equal([...new Set(server.queries)], [
      "udp _dnslink.example.org",
      "udp _dnslink.xn--bcher-kva.example",
    ]);
  });

  test("refuses what is no domain name, and asks nobody about it", async () => {
    await using server = await createDnsServer(zone());
    const dnsLink = setUp(server);
    const wrong = [
      "",
      ".",
      "example..org",
      ".example.org",
      "example.org/x",
      "example.org:80",
      "user@example.org",
      "example.org?x",
      "example.org#x",
      "example .org",
      " example.org",
      "exam\tple.org",
      "ex%61mple.org",
      "example.org\\x",
      "[::1]",
      "127.0.0.1",
      "0x7f.1",
      `${"a".repeat(64)}.org`,
      "a.".repeat(130) + "org",
      `${"a".repeat(61)}.`.repeat(4) + "org", // fits by itself, not with the prefix
    ];
    for (const name of wrong) {
      assert.is((await failure(dnsLink(name))).code, "BAD_ADDRESS", name);
    }
    assert.equal(server.queries, []);
  });

  test("an abort before the call asks nobody; one during it ends it with the reason", async () => {
    await using server = await createDnsServer(zone(), { trouble: { drop: true } });
    const reason = new Error("changed my mind");
    const dnsLink = setUp(server);
    assert.is(await thrown(dnsLink("example.org", { signal: AbortSignal.abort(reason) })), reason);
    assert.equal(server.queries, []);
    const stop = new AbortController();
    const lookup = dnsLink("example.org", { signal: stop.signal });
    stop.abort(reason);
    assert.is(await thrown(lookup), reason);
  });
});
