/** What a name means: kept for its TTL, looked up once for all who ask, remembered for the day when nobody can be asked. */
import * as assert from "uvu/assert";
import { parseKey } from "../../src/content/address.ts";
import { NethoodError } from "../../src/errors.ts";
import { createTxtResolver } from "../../src/name/dns.ts";
import { createDnsLink } from "../../src/name/dnslink.ts";
import { createMeanings, type MeaningOptions } from "../../src/name/meaning.ts";
import { Records } from "../../src/store/records.ts";
import { createDnsServer, type DnsServer, type Zone } from "../helpers/dns-server.ts";
import { failure, thrown } from "../helpers/failure.ts";
import { createFolder } from "../helpers/folder.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const A = "/ipfs/bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
const B = "/ipfs/bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const KEY = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8";
const NAME = "example.org";
const OWNER = `_dnslink.${NAME}`;

function zone(ttl = 60, value = A): Zone {
  return { [OWNER]: { txt: [`dnslink=${value}`], ttl } };
}

/** Meanings with a clock that the test moves; `now` in milliseconds. `again` is the next run of a node with this memory. */
async function setUp(server: DnsServer, options: Partial<MeaningOptions> = {}) {
  const dir = await createFolder();
  const records = new Records(dir.path);
  const clock = { now: 1_000_000 };
  const dnsLink = createDnsLink(createTxtResolver([server.address], { timeout: 100 }));
  const ipns = () => Promise.reject(new Error("no key was to be looked up"));
  const again = () =>
    createMeanings({ dnsLink, ipns, records, now: () => clock.now, patience: 60_000, ...options });
  return {
    clock,
    records,
    again,
    meanings: again(),
    async [Symbol.asyncDispose]() {
      records.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}

suite("name/meaning", (test) => {
  test("keeps an answer for exactly its TTL, and tells what is left", async () => {
    await using server = await createDnsServer(zone(60));
    await using node = await setUp(server);
    const { meanings, clock } = node;
    assert.equal(await meanings.of(NAME), { value: A, ttl: 60, stale: false });
    server.zone[OWNER] = { txt: [`dnslink=${B}`], ttl: 30 };
    clock.now += 500;
    assert.is((await meanings.of(NAME)).ttl, 59);
    clock.now += 59_499;
    assert.equal(await meanings.of(NAME), { value: A, ttl: 0, stale: false });
    assert.is(server.queries.length, 1);
    clock.now += 1;
    assert.equal(await meanings.of(NAME), { value: B, ttl: 30, stale: false });
    assert.is(server.queries.length, 2);
  });

  test("does not keep an answer with TTL 0, or one from the future of a clock that was set back", async () => {
    await using server = await createDnsServer(zone(0));
    await using node = await setUp(server);
    const { meanings, clock } = node;
    for (const asked of [1, 2]) {
      assert.is((await meanings.of(NAME)).ttl, 0);
      assert.is(server.queries.length, asked);
    }
    server.zone[OWNER] = { txt: [`dnslink=${A}`], ttl: 60 };
    await meanings.of(NAME);
    clock.now -= 3_600_000;
    assert.is((await meanings.of(NAME)).ttl, 60);
    assert.is(server.queries.length, 4);
  });

  test("keeps for ten seconds that there is none", async () => {
    await using server = await createDnsServer({});
    await using node = await setUp(server);
    const { meanings, clock } = node;
    const first = await failure(meanings.of(NAME));
    server.zone[OWNER] = { txt: [`dnslink=${A}`], ttl: 60 };
    clock.now += 9_999;
    const second = await failure(meanings.of(NAME));
    assert.equal([first.code, second.code], ["NO_DNSLINK", "NO_DNSLINK"]);
    assert.is(server.queries.length, 2, "the prefixed and the bare name, once");
    clock.now += 1;
    assert.is((await meanings.of(NAME)).value, A);
  });

  test("does not keep a failure that says nothing about the name", async () => {
    await using server = await createDnsServer(zone(), { trouble: { rcode: 2 } });
    await using node = await setUp(server);
    assert.is((await failure(node.meanings.of(NAME))).code, "DNS_UNREACHABLE");
    delete server.trouble.rcode;
    assert.is((await node.meanings.of(NAME)).value, A);
  });

  test("keeps a limited number of answers, and forgets the least used first", async () => {
    const names = ["a.example.org", "b.example.org", "c.example.org"];
    await using server = await createDnsServer(
      Object.fromEntries(names.map((n) => [`_dnslink.${n}`, { txt: [`dnslink=${A}`], ttl: 60 }])),
    );
    await using node = await setUp(server, { cacheSize: 2 });
    const asks = async (...labels: string[]) => {
      for (const label of labels) await node.meanings.of(`${label}.example.org`);
      return server.queries.length;
    };
    assert.is(await asks("a", "b", "a", "c"), 3);
    assert.is(await asks("a", "c"), 3, "a was used after b");
    assert.is(await asks("b"), 4);
    await using forgetful = await setUp(server, { cacheSize: 0 });
    for (const _ of [1, 2]) await forgetful.meanings.of("a.example.org");
    assert.is(server.queries.length, 6);
  });

  test("one lookup answers all who ask at once, and its failure reaches them all", async () => {
    await using server = await createDnsServer(zone(0), { trouble: { delay: 20 } });
    await using node = await setUp(server);
    const ask = () => [1, 2, 3].map(() => node.meanings.of(NAME));
    assert.equal((await Promise.all(ask())).map(({ value }) => value), [A, A, A]);
    assert.is(server.queries.length, 1);
    delete server.zone[OWNER];
    const [one, ...others] = await Promise.all(ask().map(thrown));
    assert.is((one as NethoodError).code, "NO_DNSLINK");
    assert.ok(others.every((other) => other === one));
    assert.is(server.queries.length, 3, "once more, at the prefixed and at the bare name");
  });

  test("who leaves gets the reason at once; the others, and the memory, get the answer", async () => {
    await using server = await createDnsServer(zone(), { trouble: { delay: 60 } });
    await using node = await setUp(server);
    const reason = { why: "the reader has left" };
    const stop = new AbortController();
    const leaver = node.meanings.of(NAME, { signal: stop.signal });
    const stayer = node.meanings.of(NAME, { signal: new AbortController().signal });
    stop.abort(reason);
    assert.is(await thrown(leaver), reason);
    assert.is((await stayer).value, A);
    assert.is(await thrown(node.meanings.of(NAME, { signal: stop.signal })), reason);
    await node.meanings.of(NAME);
    assert.is(server.queries.length, 1);

    const alone = new AbortController();
    node.clock.now += 60_000;
    const last = node.meanings.of(NAME, { signal: alone.signal });
    await until("it is asked", () => server.queries.length === 2);
    alone.abort(reason);
    assert.is(await thrown(last), reason);
    assert.is((await node.meanings.of(NAME)).value, A);
    assert.is(server.queries.length, 2, "nobody waited, but it went on");
  });

  test("while the resolver is down, a name means what it last meant", async () => {
    await using server = await createDnsServer(zone(60));
    await using node = await setUp(server);
    await node.meanings.of(NAME);
    server.trouble.rcode = 2;
    const meanings = node.again();
    assert.equal(await meanings.of(NAME), { value: A, ttl: 30, stale: true });
    const asked = server.queries.length;
    node.clock.now += 29_999;
    assert.equal(await meanings.of(NAME), { value: A, ttl: 0, stale: true });
    assert.is(server.queries.length, asked, "the second time at once, without asking");
    delete server.trouble.rcode;
    node.clock.now += 1;
    assert.is((await meanings.of(NAME)).stale, false, "half a minute later it asks again");
  });

  test("waits for a slow resolver as long as patience goes, and takes its answer when it comes", async () => {
    await using server = await createDnsServer(zone(60));
    await using node = await setUp(server, { patience: 50 });
    await node.meanings.of(NAME);
    server.zone[OWNER] = { txt: [`dnslink=${B}`], ttl: 60 };
    server.trouble.delay = 80; // a try has 100
    const meanings = node.again();
    const started = Date.now();
    assert.equal(await meanings.of(NAME), { value: A, ttl: 0, stale: true });
    assert.ok(Date.now() - started >= 49, "not before patience was over");
    assert.is(
      (await meanings.of(NAME)).stale,
      true,
      "at once: the lookup goes on, and is waited for once",
    );
    await until("the lookup has ended", async () => !(await meanings.of(NAME)).stale);
    assert.is((await meanings.of(NAME)).value, B);
    assert.is(server.queries.length, 2);
  });

  test("patience alone makes no answer: without a memory, the slow resolver is waited for", async () => {
    await using server = await createDnsServer(zone(60), { trouble: { delay: 60 } });
    await using node = await setUp(server, { patience: 5 });
    assert.equal(await node.meanings.of(NAME), { value: A, ttl: 60, stale: false });
  });

  test("a definite answer is not masked by memory", async () => {
    await using server = await createDnsServer(zone(0));
    await using node = await setUp(server);
    await node.meanings.of(NAME);
    delete server.zone[OWNER];
    assert.is((await failure(node.meanings.of(NAME))).code, "NO_DNSLINK");
  });

  for (const code of ["IPNS_NOT_FOUND", "IPNS_INVALID", "TIMEOUT"] as const) {
    test(`a key is remembered like a name (${code})`, async () => {
      await using server = await createDnsServer({});
      let fails = false;
      const ipns = () =>
        fails
          ? Promise.reject(new NethoodError(code, "nobody is there"))
          : Promise.resolve({ value: A, ttl: 0 });
      await using node = await setUp(server, { ipns });
      assert.equal(await node.meanings.of(KEY), { value: A, ttl: 0, stale: false });
      fails = true;
      assert.equal(await node.meanings.of(KEY), { value: A, ttl: 30, stale: true });
    });
  }

  test("memory does not hide a mistake of the program", async () => {
    await using server = await createDnsServer({});
    const mistake = new TypeError("undefined is not a function");
    let fails = false;
    const ipns = () => fails ? Promise.reject(mistake) : Promise.resolve({ value: A, ttl: 0 });
    await using node = await setUp(server, { ipns });
    await node.meanings.of(KEY);
    fails = true;
    assert.is(await thrown(node.meanings.of(KEY)), mistake);
  });

  test("looks keys up as keys", async () => {
    await using server = await createDnsServer({});
    const keys: string[] = [];
    await using node = await setUp(server, {
      ipns: (key) => (keys.push(key.toString()), Promise.resolve({ value: A, ttl: 0 })),
    });
    await node.meanings.of(KEY);
    assert.equal([keys, server.queries], [[parseKey(KEY)!.toString()], []]);
  });

  test("stopping ends what is being looked up, and leaves a closed memory alone", async () => {
    await using server = await createDnsServer(zone(), { trouble: { drop: true } });
    const alone = new NethoodError("IPNS_NOT_FOUND", "all neighbours are gone");
    await using node = await setUp(server, {
      ipns: (_, { signal }) =>
        new Promise((_, reject) => signal!.addEventListener("abort", () => reject(alone))),
    });
    const lookups = [node.meanings.of(NAME), node.meanings.of(KEY)];
    await until("it is asked", () => server.queries.length === 1);
    node.meanings.stop();
    node.records.close();
    for (const lookup of lookups) assert.is((await failure(lookup)).code, "STOPPED");
  });
});
