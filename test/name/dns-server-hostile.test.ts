/** The site's own name server among those who mean it no good. */
import { Buffer } from "node:buffer";
import * as dns from "dns-packet";
import * as assert from "uvu/assert";
import { createTxtResolver } from "../../src/name/dns.ts";
import { createDnsServer } from "../../src/name/dns-server.ts";
import { dial, framed, question, sendUdp } from "../helpers/dns-client.ts";
import { createRandom } from "../helpers/random.ts";
import { suite } from "../helpers/suite.ts";
import { until } from "../helpers/until.ts";

const SITE = "docs.example.org";
const NAME = `_dnslink.${SITE}`;
const LINK = "dnslink=/ipfs/bafkqaaa";

function start() {
  return createDnsServer({ listen: "127.0.0.1:0", site: SITE, texts: () => ({ [NAME]: [LINK] }) });
}

suite("name/dns-server-hostile", (test) => {
  test("over TCP: several questions at once, in pieces; noise ends the connection", async () => {
    await using server = await start();
    const wire = await dial(server);
    const both = Buffer.concat([
      framed(question(NAME, "TXT", 1)),
      framed(question(NAME, "SOA", 2)),
    ]);
    for (const byte of both.subarray(0, 5)) {
      wire.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    wire.socket.write(both.subarray(5));
    await until("both are answered", () => {
      const first = wire.heard.length < 2 ? Infinity : 2 + wire.heard.readUInt16BE();
      return wire.heard.length > first + 2 &&
        wire.heard.length === first + 2 + wire.heard.readUInt16BE(first);
    });
    assert.is(wire.heard.readUInt16BE(2), 1);
    for (
      const noise of [framed(Buffer.from("noise")), Buffer.of(0xff, 0xff), framed(Buffer.of())]
    ) {
      const { socket, ...rest } = await dial(server);
      socket.write(noise);
      await until("it is hung up on", () => socket.destroyed);
      assert.is(rest.heard.length, 0);
    }
    assert.not.ok(wire.closed);
    wire.socket.destroy();
  });

  test("one address has ten connections, and no more", async () => {
    await using server = await start();
    const wires = [];
    for (let n = 0; n < 10; n++) wires.push(await dial(server));
    const surplus = await dial(server);
    await until("the eleventh is hung up on", () => surplus.closed);
    assert.equal(wires.map(({ closed }) => closed), Array(10).fill(false));
    wires[0]!.socket.destroy();
    await until("there is room again", async () => {
      const next = await dial(server);
      next.socket.write(framed(question(NAME)));
      await until("an answer, or the end", () => next.heard.length > 0 || next.closed);
      wires.push(next);
      return next.heard.length > 0;
    });
    for (const { socket } of wires) socket.destroy();
  });

  test("a flood in somebody's name is not passed on to them; others, and TCP, are answered", async () => {
    await using server = await start();
    const flood = Array.from({ length: 1_000 }, (_, id) => question(NAME, "TXT", id));
    const heard = await sendUdp(server, flood, { from: "127.0.0.1" });
    const whole = heard.map((bytes) => dns.decode(bytes)).filter(({ answers }) => answers!.length);
    const brief = heard.filter((bytes) => dns.decode(bytes).flag_tc);
    assert.ok(whole.length >= 100 && whole.length < 150, `${whole.length} whole answers`);
    assert.ok(brief.length > 300 && brief.length < 500, `${brief.length} brief ones`);
    const sent = heard.reduce((sum, { length }) => sum + length, 0);
    assert.ok(sent < flood.reduce((sum, { length }) => sum + length, 0), `${sent} bytes`);
    assert.ok(brief.every(({ length }) => length <= flood[0]!.length));
    const [other] = await sendUdp(server, [question(NAME)], { from: "127.0.1.1" });
    assert.is(dns.decode(other!).answers!.length, 1);
    // The same address goes on over TCP, by itself: a brief answer is a truncated one.
    const txt = createTxtResolver([server.address], { timeout: 500 });
    assert.is((await txt(NAME))[0]!.data, LINK);
  });

  test("ten thousand packets of noise do not end it, and get nothing out of it", async () => {
    await using server = await start();
    const random = createRandom(42);
    const noise = Array.from({ length: 10_000 }, () => {
      if (random.chance(0.3)) return random.bytes(random.int(200));
      const good = question(random.pick([NAME, `x.${NAME}`, "other.example", SITE]));
      for (let wrong = 1 + random.int(4); wrong > 0; wrong--) {
        good[random.int(good.length)] = random.int(256);
      }
      return random.chance(0.2) ? good.subarray(0, random.int(good.length)) : good;
    });
    const heard = await sendUdp(server, noise);
    assert.ok(heard.length < 10_000);
    const wire = await dial(server);
    wire.socket.write(Buffer.concat(noise.map((packet) => framed(Buffer.from(packet)))));
    await until("it is hung up on", () => wire.closed);
    const txt = createTxtResolver([server.address], { timeout: 1_000 });
    assert.is((await txt(NAME))[0]!.data, LINK);
  });

  test("texts that cannot be had cost an answer, not the server", async () => {
    let broken = true;
    const lines: string[] = [];
    await using server = await createDnsServer({
      listen: "127.0.0.1:0",
      site: SITE,
      log: (line) => lines.push(line),
      texts() {
        if (broken) throw new Error("the store is closed");
        return { [NAME]: [LINK] };
      },
    });
    assert.equal(await sendUdp(server, [question(NAME)], { ms: 100 }), []);
    assert.match(lines.join("\n"), /DNS question went without an answer: .*the store is closed/);
    broken = false;
    assert.is((await sendUdp(server, [question(NAME)])).length, 1);
  });
});
