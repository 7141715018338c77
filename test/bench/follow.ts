/**
 * What following costs: bytes that an update of one file of a real site moves to a follower, and how soon twenty followers hold
 * a new version, each on a host of its own. Usage: deno task bench:follow [FOLDER]; the second needs root and a C compiler.
 */
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { gather } from "../../src/content/gather.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createCountedLine } from "../helpers/counted-line.ts";
import { createFolder } from "../helpers/folder.ts";
import { labAvailable } from "../helpers/lab.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { SITE } from "../helpers/site.ts";
import { until } from "../helpers/until.ts";
import { measureFollowCrowd } from "./follow-crowd.ts";
import { median, print, type Row, say, seconds } from "./table.ts";

const FOLLOWERS = 20;

/** How many versions are published for the time of the switch. */
const VERSIONS = 5;

/** The TTL, in seconds, where followers have to ask. */
const TTL = 10;

const from = process.argv[2] ?? "/usr/share/doc/python3.11/html";

const rows: Row[] = [await updateCost()];
const missing = labAvailable({ delay: true, rates: true });
if (missing !== undefined) say(`left out: ${FOLLOWERS} followers (${missing})`);
else for (const push of [true, false]) rows.push(await switches(push));
print(rows);
process.exit();

async function updateCost(): Promise<Row> {
  await using folder = await createFolder();
  const site = join(folder.path, "site");
  await cp(from, site, { recursive: true, dereference: true });
  await using seeder = await createLoopbackNode();
  await using follower = await createLoopbackNode();
  await using line = await createCountedLine(seeder.address);
  const { publish } = createSeeder(seeder);
  const before = await publish(site, { name: SITE });
  await follower.meet(line.address);
  await follower.follower.follow(before.key);
  await untilVersion(follower, 1);
  await settled(line);

  const old = new Set<string>();
  const { blocks } = seeder;
  const local = true;
  for await (const { cid } of gather(blocks, before.cid, { local })) old.add(String(cid));
  const start = line.received;
  await writeFile(join(site, "index.html"), `<p>${crypto.randomUUID()}`, { flag: "a" });
  const { cid } = await publish(site, { name: SITE });
  await untilVersion(follower, 2);
  await settled(line);
  const moved = line.received - start;
  let changed = 0;
  for await (const { cid: at, size } of gather(blocks, cid, { local })) {
    if (!old.has(String(at))) changed += size;
  }
  return {
    what: `one file of ${from} changes: bytes moved to a follower ÷ those of the changed blocks`,
    result: `**${(moved / changed).toFixed(2)}**`,
    figures: `${moved} ÷ ${changed} bytes`,
  };
}

/** The last of the followers, and how the others were spread. */
async function switches(push: boolean): Promise<Row> {
  const ttl = push ? 60 : TTL;
  const versions = await measureFollowCrowd({
    followers: FOLLOWERS,
    push,
    ttl,
    versions: VERSIONS,
  });
  const last = versions.map((times) => times.at(-1)!);
  const all = versions.flat();
  return {
    what: `${FOLLOWERS} followers, 20/100 Mbit/s, 10 ms, ` +
      `${push ? "pushed" : `asked for, TTL ${ttl} s`}: publish → the last holds it`,
    result: `**${seconds(median(last))}**`,
    figures: `median of ${VERSIONS}: ${last.map(seconds).join(", ")}; ` +
      `the first ${seconds(Math.min(...all))}, half of all ${seconds(median(all))}`,
  };
}

async function untilVersion(node: LoopbackNode, number: number): Promise<void> {
  await until(
    `version ${number}`,
    async () => (await node.follower.list())[0]?.version === number,
    120_000,
  );
}

/** Until nothing passes any more. */
async function settled(line: { readonly received: number }): Promise<void> {
  for (let last = -1; line.received !== last;) {
    last = line.received;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
