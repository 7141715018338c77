import { NethoodError } from "../../src/errors.ts";
import { createTxtResolver, type TxtResolver } from "../../src/name/dns.ts";
import { createDnsLink } from "../../src/name/dnslink.ts";
import { createDnsServer, type DnsServer, type Zone } from "../helpers/dns-server.ts";
import { suite } from "../helpers/suite.ts";
import * as assert from "uvu/assert";

const CID_A = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const CID_B = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const A = `/ipfs/${CID_A}`;
const B = `/ipfs/${CID_B}`;

/** One name with one DNSLink: all that most tests need. */
function zone(ttl = 60, value = A): Zone {
  return { "_dnslink.example.org": { txt: [`dnslink=${value}`], ttl } };
}

/** A lookup at a server, with a clock that the test moves; `now` in milliseconds. */
function setUp(server: DnsServer, options: { cacheSize?: number } = {}) {
  const clock = { now: 1_000_000 };
  const txt = createTxtResolver([server.address], { timeout: 100 });
  return { clock, txt, dnsLink: createDnsLink(txt, { now: () => clock.now, ...options }) };
}

suite("name/dnslink", (test) => {
  test("reads the record at the prefixed name, and asks nothing else", async () => {
    await using server = await createDnsServer({
      ...zone(60, `${A}/docs/index.html`),
      "example.org": { txt: [`dnslink=${B}`], ttl: 60 },
    });
    const { dnsLink } = setUp(server);
    assert.equal(await dnsLink("example.org"), { value: `${A}/docs/index.html`, ttl: 60 });
    assert.equal(server.queries, ["udp _dnslink.example.org"]);
  });

  test("asks the bare name if the prefixed one has no DNSLink", async () => {
    await using server = await createDnsServer({
      "a.example.org": { txt: ["v=spf1 -all", `dnslink=${A}`], ttl: 60 },
      "_dnslink.b.example.org": { txt: ["something else", `xdnslink=${B}`], ttl: 60 },
      "b.example.org": { txt: [`dnslink=${A}`], ttl: 30 },
    });
    const { dnsLink } = setUp(server);
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
    assert.is((await failure(setUp(server).dnsLink("example.org"))).code, "NO_DNSLINK");
  });

  test("of several records takes the first, ipfs before ipns", async () => {
    const txt = ["dnslink=/ipns/a.example.net", `dnslink=${A}`, `dnslink=${B}`];
    await using server = await createDnsServer({ "_dnslink.example.org": { txt, ttl: 60 } });
    for (const order of [txt, txt.toReversed(), [txt[1]!, txt[0]!, txt[2]!]]) {
      server.zone["_dnslink.example.org"] = { txt: order, ttl: 60 };
      assert.is((await setUp(server).dnsLink("example.org")).value, A);
    }
    server.zone["_dnslink.example.org"] = {
      txt: ["dnslink=/ipns/b.example.net", "dnslink=/ipns/a.example.net"],
      ttl: 60,
    };
    assert.is((await setUp(server).dnsLink("example.org")).value, "/ipns/a.example.net");
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
    const { dnsLink } = setUp(server);
    assert.is((await dnsLink("example.org")).value, B);
    assert.is((await failure(dnsLink("b.example.org"))).code, "NO_DNSLINK");
  });

  test("says which name has no DNSLink, and what to do about it", async () => {
    await using server = await createDnsServer({});
    const error = await failure(setUp(server).dnsLink("Example.org"));
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
    assert.equal(await setUp(server).dnsLink("example.org"), { value: A, ttl: 9 });
  });

  test("remembers an answer for exactly its TTL, and tells what is left", async () => {
    await using server = await createDnsServer(zone(60));
    const { dnsLink, clock } = setUp(server);
    assert.is((await dnsLink("example.org")).ttl, 60);
    server.zone["_dnslink.example.org"] = { txt: [`dnslink=${B}`], ttl: 30 };
    clock.now += 500;
    assert.equal(await dnsLink("example.org"), { value: A, ttl: 59 });
    clock.now += 59_499;
    assert.equal(await dnsLink("example.org"), { value: A, ttl: 0 });
    assert.is(server.queries.length, 1);
    clock.now += 1;
    assert.equal(await dnsLink("example.org"), { value: B, ttl: 30 });
    assert.is(server.queries.length, 2);
  });

  test("does not remember an answer with TTL 0", async () => {
    await using server = await createDnsServer(zone(0));
    const { dnsLink } = setUp(server);
    assert.equal(await dnsLink("example.org"), { value: A, ttl: 0 });
    assert.equal(await dnsLink("example.org"), { value: A, ttl: 0 });
    assert.is(server.queries.length, 2);
  });

  test("asks again if the clock was set back", async () => {
    await using server = await createDnsServer(zone(60));
    const { dnsLink, clock } = setUp(server);
    await dnsLink("example.org");
    clock.now -= 3_600_000;
    assert.is((await dnsLink("example.org")).ttl, 60);
    assert.is(server.queries.length, 2);
  });

  test("remembers for ten seconds that there is none", async () => {
    await using server = await createDnsServer({});
    const { dnsLink, clock } = setUp(server);
    const first = await failure(dnsLink("example.org"));
    server.zone["_dnslink.example.org"] = { txt: [`dnslink=${A}`], ttl: 60 };
    clock.now += 9_999;
    const second = await failure(dnsLink("example.org"));
    assert.is(second.message, first.message);
    assert.is(server.queries.length, 2, "the prefixed and the bare name, once");
    clock.now += 1;
    assert.is((await dnsLink("example.org")).value, A);
  });

  test("does not remember that nobody answered", async () => {
    await using server = await createDnsServer(zone(), { trouble: { rcode: 2 } });
    const { dnsLink } = setUp(server);
    const error = await failure(dnsLink("example.org"));
    assert.is(error.code, "DNS_UNREACHABLE");
    assert.match(error.message, "SERVFAIL");
    delete server.trouble.rcode;
    assert.is((await dnsLink("example.org")).value, A);
  });

  test("does not say there is none while the bare name cannot be asked", async () => {
    await using server = await createDnsServer({});
    const { txt } = setUp(server);
    const half: TxtResolver = (name, options) => {
      if (name === "example.org") server.trouble.rcode = 2;
      return txt(name, options);
    };
    const error = await failure(createDnsLink(half)("example.org"));
    assert.is(error.code, "DNS_UNREACHABLE");
  });

  test("remembers a limited number of names, and forgets the least used first", async () => {
    const names = ["a.example.org", "b.example.org", "c.example.org"];
    await using server = await createDnsServer(
      Object.fromEntries(names.map((n) => [`_dnslink.${n}`, { txt: [`dnslink=${A}`], ttl: 60 }])),
    );
    const { dnsLink } = setUp(server, { cacheSize: 2 });
    for (const name of ["a", "b", "a", "c"]) await dnsLink(`${name}.example.org`);
    assert.is(server.queries.length, 3);
    await dnsLink("a.example.org");
    await dnsLink("c.example.org");
    assert.is(server.queries.length, 3, "a was used after b");
    await dnsLink("b.example.org");
    assert.is(server.queries.length, 4);

    const forgetful = setUp(server, { cacheSize: 0 }).dnsLink;
    await forgetful("a.example.org");
    await forgetful("a.example.org");
    assert.is(server.queries.length, 6);
  });

  test("one query answers all who ask at once", async () => {
    await using server = await createDnsServer(zone(0), { trouble: { delay: 20 } });
    const { dnsLink } = setUp(server);
    const spellings = ["example.org", "EXAMPLE.org", "example.org."];
    const found = await Promise.all(spellings.map((name) => dnsLink(name)));
    assert.equal(found, spellings.map(() => ({ value: A, ttl: 0 })));
    assert.is(server.queries.length, 1);
    await dnsLink("example.org");
    assert.is(server.queries.length, 2, "and is over then");
  });

  test("a failure reaches all who asked at once", async () => {
    await using server = await createDnsServer(zone(), { trouble: { rcode: 2, delay: 20 } });
    const { dnsLink } = setUp(server);
    const lookups = [dnsLink("example.org"), dnsLink("example.org")];
    for (const lookup of lookups) assert.is((await failure(lookup)).code, "DNS_UNREACHABLE");
  });

  test("who leaves gets the reason, and does not disturb the others", async () => {
    await using server = await createDnsServer(zone(), { trouble: { delay: 60 } });
    const { dnsLink } = setUp(server);
    const reason = { why: "the reader has left" };
    const stop = new AbortController();
    const leaver = dnsLink("example.org", { signal: stop.signal });
    const stayer = dnsLink("example.org", { signal: new AbortController().signal });
    const other = dnsLink("example.org");
    stop.abort(reason);
    assert.is(await thrown(leaver), reason);
    assert.is((await stayer).value, A);
    assert.is((await other).value, A);
    assert.is(server.queries.length, 1);
  });

  test("when the last one leaves, the query ends; whoever comes then asks anew", async () => {
    await using server = await createDnsServer(zone(), { trouble: { drop: true } });
    const { txt } = setUp(server);
    const signals: AbortSignal[] = [];
    const dnsLink = createDnsLink((name, options) => {
      signals.push(options!.signal!);
      return txt(name, options);
    });
    const first = new AbortController();
    const second = new AbortController();
    const lookups = [first, second].map(({ signal }) => dnsLink("example.org", { signal }));
    const ends = lookups.map(thrown);
    await until(() => server.queries.length === 1);
    first.abort("one");
    assert.is(await ends[0], "one");
    assert.not(signals[0]!.aborted);
    second.abort("two");
    assert.is(await ends[1], "two");
    assert.ok(signals[0]!.aborted);
    server.trouble.drop = false;
    assert.is((await dnsLink("example.org")).value, A);
  });

  test("an abort before the call asks nobody", async () => {
    await using server = await createDnsServer(zone());
    const reason = new Error("changed my mind");
    const { dnsLink } = setUp(server);
    assert.is(await thrown(dnsLink("example.org", { signal: AbortSignal.abort(reason) })), reason);
    assert.equal(server.queries, []);
  });

  test("takes a name in every spelling", async () => {
    await using server = await createDnsServer({
      ...zone(),
      "_dnslink.xn--bcher-kva.example": { txt: [`dnslink=${B}`], ttl: 60 },
    });
    const { dnsLink } = setUp(server);
    for (const name of ["example.org", "EXAMPLE.Org", "example.org.", "ｅxample。org"]) {
      assert.is((await dnsLink(name)).value, A, name);
    }
    for (const name of ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"]) {
      assert.is((await dnsLink(name)).value, B, name);
    }
    assert.is(server.queries.length, 2);
  });

  test("refuses what is no domain name, and asks nobody about it", async () => {
    await using server = await createDnsServer(zone());
    const { dnsLink } = setUp(server);
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
});

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
