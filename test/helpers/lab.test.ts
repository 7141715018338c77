/**
 * The helpers themselves: if the lab is not what it says, nothing that is tested in it is worth anything.
 */
import { Resolver } from "node:dns/promises";
import { join } from "node:path";
import process from "node:process";
import * as assert from "uvu/assert";
import { browserAvailable, createBrowser } from "./browser.ts";
import { createFolder } from "./folder.ts";
import { createKnot, knotAvailable } from "./knot.ts";
import { createKubo, kuboAvailable } from "./kubo.ts";
import { createLab, labAvailable, type LabHost } from "./lab.ts";
import { localhost } from "./process.ts";
import { suite } from "./suite.ts";

const NAME = "_dnslink.docs.example.org";

/** A web server with one page, whose style sheet is there and whose picture is not. */
const WEB = `
  import { createServer } from "node:http";
  const page = '<link rel="stylesheet" href="/style.css"><h1>Hello</h1><img src="/none.png">';
  createServer(({ url }, response) => {
    response.setHeader("content-type", url === "/style.css" ? "text/css" : "text/html");
    response.statusCode = url === "/none.png" ? 404 : 200;
    response.end(url === "/" ? page : "");
  }).listen(8000, () => console.log('{"event":"ready"}'));
`;

const MIB = 1024 * 1024;

/** Takes 1 MiB, or sends it to a host, and tells how long it took. */
const TRANSFER = `
  import { connect, createServer } from "node:net";
  const host = process.argv[2];
  if (host) connect(8001, host).end(new Uint8Array(${MIB}));
  else createServer((socket) => {
    let bytes = 0, began;
    socket.on("data", (data) => {
      began ??= performance.now();
      bytes += data.byteLength;
      if (bytes < ${MIB}) return;
      console.log(JSON.stringify({ event: "all", seconds: (performance.now() - began) / 1000 }));
    });
  }).listen(8001, () => console.log('{"event":"ready"}'));
`;

/** One says fifty words, one every 20 ms; the other tells of the first and of the last. */
const TALK = `
  import { connect, createServer } from "node:net";
  const host = process.argv[2];
  const over = () => console.error("over");
  if (host === "listen") {
    let heard = 0;
    createServer((socket) => socket.on("close", over).on("error", over).on("data", (data) => {
      heard += data.byteLength;
      console.log(JSON.stringify({ event: heard < 50 ? "heard" : "all" }));
    })).listen(8002, () => console.log('{"event":"ready"}'));
  } else {
    const socket = connect(8002, host).on("close", over).on("error", over);
    let said = 0;
    const timer = setInterval(() => {
      socket.write("!");
      if (++said === 50) clearInterval(timer);
    }, 20);
  }
`;

suite("helpers", (test, left) => {
  const given = (needs: (string | undefined)[], title: string, body: () => Promise<void>) => {
    const missing = needs.filter((reason) => reason !== undefined);
    if (missing.length > 0) left(title, missing.join("; "));
    else test(title, body);
  };

  given([labAvailable(), knotAvailable()], "hosts of a lab reach each other", async () => {
    await using lab = await createLab({ hosts: ["a", "dns"] });
    const { a, dns } = lab.hosts;
    await using knot = await createKnot({
      host: dns,
      records: [`${NAME}. 77 IN TXT "dnslink=/ipns/k51"`],
    });
    assert.is(knot.server, "10.77.0.2:53");
    await a.setResolvers([dns.address]);
    assert.match(await a.run("kdig", [NAME, "TXT"]), /\s77\s+IN\s+TXT\s+"dnslink=\/ipns\/k51"/);
  });

  given([labAvailable({ delay: true }), knotAvailable()], "a lab can be slow", async () => {
    await using lab = await createLab({ hosts: ["a", "b"], delayMs: 20 });
    const { a, b } = lab.hosts;
    await using _knot = await createKnot({ host: b, records: [] });
    const query = [`@${b.address}`, "example.org", "SOA"];
    await a.run("kdig", query); // the first one also asks for the hardware address
    const [, ms] = /in (\d+\.\d+) ms/.exec(await a.run("kdig", query)) ?? [];
    assert.ok(Number(ms) >= 40 && Number(ms) < 60, `round trip: ${ms} ms`);
  });

  given([labAvailable()], "a lab leaves nothing behind", async () => {
    const lab = await createLab({ hosts: ["a"] });
    const { a } = lab.hosts;
    const stays = a.spawn("sleep", ["1000"]);
    await a.setResolvers(["10.77.0.9"]);
    assert.is(await a.run("cat", ["/etc/resolv.conf"]), "nameserver 10.77.0.9\n");
    await lab[Symbol.asyncDispose]();
    assert.is((await stays.exit).signal, "SIGKILL");
    assert.not.match(await localhost.run("ip", ["netns", "list"]), a.namespace);
  });

  given([labAvailable({ rates: true })], "a line carries what it says, and counts", async () => {
    const rates = { up: 8e6, down: 80e6, seedUp: 16e6 };
    await using lab = await createLab({ hosts: ["seeder", "a", "b"], rates });
    const { seeder, a, b } = lab.hosts;
    const before = await lab.counters();
    const slow = await transfer(a, b);
    const after = await lab.counters();
    assert.ok(slow > 0.9 && slow < 1.4, `1 MiB up at 8 Mbit/s in ${slow} s`);
    const quick = await transfer(seeder, b);
    assert.ok(slow / quick > 1.5 && slow / quick < 3, `${slow / quick} times as fast at 16 Mbit/s`);
    assert.ok(await transfer(b, a) > 0.9, "each host has a line of its own");

    const sent = after.a.sent - before.a.sent, received = after.b.received - before.b.received;
    assert.ok(sent > MIB && sent < 1.1 * MIB, `sent ${sent}`);
    assert.ok(received > MIB && received < 1.1 * MIB, `received ${received}`);
    assert.ok(after.a.received - before.a.received < 0.1 * MIB, "acknowledgements are small");
    assert.ok(after.seeder.sent - before.seeder.sent < 10_000, "who does nothing sends nothing");
  });

  given([labAvailable({ rates: true })], "a narrow line in", async () => {
    await using lab = await createLab({ hosts: ["a", "b"], rates: { up: 80e6, down: 8e6 } });
    const seconds = await transfer(lab.hosts.a, lab.hosts.b);
    assert.ok(seconds > 0.9 && seconds < 1.4, `1 MiB down at 8 Mbit/s in ${seconds} s`);
  });

  for (const delayMs of [0, 5]) {
    given([labAvailable({ delay: delayMs > 0 })], `a pulled cable, ${delayMs} ms`, async () => {
      await using lab = await createLab({ hosts: ["a", "b"], delayMs });
      const { a, b } = lab.hosts;
      await using files = await createFolder({ "talk.mjs": TALK });
      const talk = join(files.path, "talk.mjs");
      await using listener = b.spawn(...onThisRuntime(talk, "listen"));
      await listener.events.until("ready");
      await using speaker = a.spawn(...onThisRuntime(talk, b.address));
      await listener.events.until("heard");
      await lab.cable("b", "down");
      const before = await lab.counters();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { b: { received } } = await lab.counters();
      assert.is(received, before.b.received, "nothing comes through");
      assert.not.match(speaker.log + listener.log, /over/, "nobody is told");
      await lab.cable("b", "up");
      await listener.events.until("all");
      assert.not.match(speaker.log + listener.log, /over/, "the connection is the same");
    });
  }

  given([labAvailable(), browserAvailable()], "a browser in a lab tells of trouble", async () => {
    await using lab = await createLab({ hosts: ["a", "b"] });
    const { a, b } = lab.hosts;
    await using dir = await createFolder({ "web.mjs": WEB });
    const script = join(dir.path, "web.mjs");
    const web = b.spawn(...onThisRuntime(script));
    await web.events.until("ready");
    await using browser = await createBrowser({ host: a });
    const { page, status, trouble } = await browser.openPage(`http://${b.address}:8000/`);
    assert.is(status, 200);
    assert.is(await page.textContent("h1"), "Hello");
    assert.ok(trouble.some((line) => line.startsWith("404: ") && line.endsWith("/none.png")));
    assert.not(trouble.some((line) => line.includes("style.css")));
  });

  given([knotAvailable()], "a name server runs on loopback too", async () => {
    await using knot = await createKnot({ records: [`${NAME}. 60 IN TXT "one " "text"`] });
    const resolver = new Resolver();
    resolver.setServers([knot.server]);
    assert.equal(await resolver.resolveTxt(NAME), [["one ", "text"]]);
  });

  // Go is a lot to ask for a comparison: without it Kubo is left out, whatever else must not be
  const kubo = "Kubo runs alone, and adds with the profile asked for";
  if (kuboAvailable() === undefined) test(kubo, runKubo);
  else console.log(`left out: ${kubo} (${kuboAvailable()})`);
});

function onThisRuntime(script: string, ...words: string[]): [string, string[]] {
  return [process.execPath, [...(process.versions.deno ? ["run", "-A"] : []), script, ...words]];
}

/** Seconds that 1 MiB takes from one host to another, from its first byte to its last. */
async function transfer(from: LabHost, to: LabHost): Promise<number> {
  await using files = await createFolder({ "transfer.mjs": TRANSFER });
  const script = join(files.path, "transfer.mjs");
  await using receiver = to.spawn(...onThisRuntime(script));
  await receiver.events.until("ready");
  await using _sender = from.spawn(...onThisRuntime(script, to.address));
  return Number((await receiver.events.until("all")).seconds);
}

async function runKubo() {
  await using files = await createFolder({ "hello": "hello world" });
  const dir = files.path;
  await using kubo = await createKubo({ dir: join(dir, "repo"), profile: "unixfs-v1-2025" });
  const cid = (await kubo.ipfs(["add", "--quieter", join(dir, "hello")])).trim();
  assert.is(cid, "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
  assert.is(await kubo.ipfs(["cat", cid]), "hello world\n");
  assert.is(await kubo.ipfs(["swarm", "peers"]), "");
  assert.ok(kubo.addresses.length > 0, "it can be reached");
  for (const address of kubo.addresses) assert.match(address, /^\/ip4\/127\.0\.0\.1\/tcp\//);
}
