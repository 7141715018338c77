/**
 * A site lives on without the machines that began it.
 *
 * Seven hosts, the shipped program on each. A publisher watches a folder; three followers find it through the tracker that
 * the site's DNS names, and through nothing else. An update and a rollback reach all three. Then publisher and tracker
 * are killed, and somebody new, who has an ordinary address and a name server, reads the newest version.
 */
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { addFiles, createFolder } from "../helpers/folder.ts";
import { createKnot, knotAvailable } from "../helpers/knot.ts";
import { createLab, labAvailable } from "../helpers/lab.ts";
import { type Child, type Host, localhost } from "../helpers/process.ts";
import { suite } from "../helpers/suite.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NAME = "docs.example.org";
/** Longest time for a program to start where many do at once, in milliseconds. */
const START_MS = 60_000;
/** Longest time until a version is in force with a follower, in milliseconds. */
const SWITCH_MS = 45_000;
/** Longest time to wait for an answer, in seconds. */
const ANSWER_S = 60;
/** The whole story, in milliseconds. */
const STORY_MS = 5 * 60_000;

interface Running {
  host: Host;
  child: Child;
  gateway: string;
  addresses: string[];
}

suite("a site without its origin", (test, left) => {
  const missing = [labAvailable(), knotAvailable()].filter((reason) => reason !== undefined);
  const title =
    "followers found through a tracker carry a site when publisher and tracker are dead";
  if (missing.length > 0) left(title, missing.join("; "));
  else test(title, story);
}, STORY_MS);

async function story() {
  // the lab has no internet: what the program imports has to be here before
  if (process.versions.deno) {
    await localhost.run(process.execPath, ["cache", "node.ts"], { cwd: ROOT });
  }
  await using files = await createFolder({
    "site/index.html": "<h1>one</h1>",
    "site/manual.html": "the manual ".repeat(40_000),
  });
  const dir = (name: string) => join(files.path, name);
  await using lab = await createLab({
    hosts: ["tracker", "publisher", "anna", "ben", "cleo", "newcomer", "dns"],
  });
  const { tracker, publisher, anna, ben, cleo, newcomer, dns } = lab.hosts;
  const asks = ["--dns", dns.address];

  // the tracker, and the publisher who names it in the site's DNS
  const tracking = start(tracker, dir("tracker"), [
    ...["tracker", "--listen", `${tracker.address}:7070`],
  ]);
  const { url, dns: nethood } = await tracking.events.until("ready", { ms: START_MS });
  const seed = ["seed", dir("site"), "--name", NAME, "--watch", "--quiet", "0.3"];
  const seeder = await startNode(publisher, dir("publisher"), [...seed, "--tracker", String(url)]);
  const { dnslink, cid: first } = await seeder.child.events.until("seed:done", { ms: START_MS });
  const records = [String(dnslink), String(nethood)];
  const knot = await createKnot({ host: dns, records });

  // three who follow it
  const followers = await Promise.all(
    [anna, ben, cleo].map((host) => startNode(host, dir(host.name), ["follow", NAME, ...asks])),
  );
  const allSwitch = async (number: number, page: string) => {
    const where = { number };
    await Promise.all(followers.map(async (follower) => {
      await follower.child.events.until("follow:version", { where, ms: SWITCH_MS });
      assert.is(await read(follower), page, `${follower.host.name}, version ${number}`);
    }));
  };
  await allSwitch(1, "<h1>one</h1>");

  // an update, and back again
  await addFiles(dir("site"), { "index.html": "<h1>two</h1>" });
  await seeder.child.events.until("seed:version", { where: { number: 2 }, ms: SWITCH_MS });
  await allSwitch(2, "<h1>two</h1>");
  const back = start(publisher, dir("publisher"), ["site", "rollback", NAME, "1"]);
  const rolled = await back.events.until("site:rollback", { ms: START_MS });
  assert.equal([rolled.version, rolled.cid], [3, first]);
  await allSwitch(3, "<h1>one</h1>");

  // the owner of the name adds the followers to it, and what began it all is gone without a word
  await knot.stop();
  const peers = followers.map(({ host, addresses }) => {
    const address = addresses.find((text) => text.startsWith(`/ip4/${host.address}/tcp/`));
    return `_dnsaddr.${NAME}. 60 IN TXT "dnsaddr=${address}"`;
  });
  await using _ = await createKnot({ host: dns, records: [...records, ...peers] });
  for (const child of [seeder.child, tracking]) {
    child.kill("SIGKILL");
    assert.is((await child.exit).signal, "SIGKILL");
  }

  // somebody new
  const reader = await startNode(newcomer, dir("newcomer"), asks);
  assert.is(await read(reader), "<h1>one</h1>");
  assert.is(await read(reader, "manual.html"), "the manual ".repeat(40_000));
  const log = start(newcomer, dir("newcomer"), ["site", "log", NAME]);
  for (const number of [3, 2, 1]) {
    await log.events.until("site:version", { where: { number }, ms: START_MS });
  }
}

function start(host: Host, dir: string, words: string[]): Child {
  const program = process.versions.deno ? ["run", "-P", "node.ts"] : ["node.ts"];
  return host.spawn(process.execPath, [...program, ...words, "--dir", dir, "--json"], {
    cwd: ROOT,
  });
}

/** A node that hears of nobody on its network. */
async function startNode(host: Host, dir: string, words: string[]): Promise<Running> {
  const child = start(host, dir, [...words, "--no-mdns"]);
  const { gateway, addresses } = await child.events.until("ready", { ms: START_MS });
  return { host, child, gateway: String(gateway), addresses: addresses as string[] };
}

/** What a browser that has the node as its proxy gets at the site's ordinary address, loaded anew. */
async function read({ host, gateway }: Running, path = ""): Promise<string> {
  return (await host.run("curl", [
    ...["--silent", "--show-error", "--fail", "--max-time", String(ANSWER_S)],
    ...["--proxy", gateway, `http://${NAME}/${path}`],
  ])).replace(/\n$/, "");
}
