/** What the answers of a DNS server mean. */
import * as assert from "uvu/assert";
import { createTxtResolver, type TxtRecord } from "../../src/name/dns.ts";
import { NAME, RECORD, ZONE } from "../helpers/dns-record.ts";
import { createDnsServer } from "../helpers/dns-server.ts";
import { failure } from "../helpers/failure.ts";
import { suite } from "../helpers/suite.ts";

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
});

function sorted(records: TxtRecord[]): TxtRecord[] {
  return records.toSorted((a, b) => a.data.length - b.data.length);
}
