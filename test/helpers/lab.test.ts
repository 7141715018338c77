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
import { createLab, labAvailable } from "./lab.ts";
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

  given([labAvailable(), browserAvailable()], "a browser in a lab tells of trouble", async () => {
    await using lab = await createLab({ hosts: ["a", "b"] });
    const { a, b } = lab.hosts;
    await using dir = await createFolder({ "web.mjs": WEB });
    const script = join(dir.path, "web.mjs");
    const web = b.spawn(
      process.execPath,
      process.versions.deno ? ["run", "-A", script] : [script],
    );
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
