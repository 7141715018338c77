/**
 * What following costs, on this machine: bytes that an update of one file of a real site moves to a follower, and how soon
 * twenty followers hold a new version. Usage: deno task bench:follow [FOLDER]
 */
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { localOnly } from "../../src/content/blocks.ts";
import { gather } from "../../src/content/gather.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createCountedLine } from "../helpers/counted-line.ts";
import { createFolder } from "../helpers/folder.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { SITE } from "../helpers/site.ts";
import { until } from "../helpers/until.ts";

const FOLLOWERS = 20;

/** How often it is published for the time of the switch. */
const TIMES = 5;

/** The TTL, in milliseconds, where followers have to ask. */
const TTL_MS = 5_000;

const from = process.argv[2] ?? "/usr/share/doc/python3.11/html";

console.log(`One file of ${from}: ${await updateCost()}`);
for (const push of [true, false]) {
  const times = await switchTimes(push);
  const how = push ? "pushed" : `asked for, TTL ${TTL_MS / 1000} s`;
  console.log(`${FOLLOWERS} followers, ${how}: the last has it after ${times.join(", ")} ms`);
}
process.exit(0);

async function updateCost(): Promise<string> {
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
  const blocks = localOnly(seeder.blocks);
  for await (const { cid } of gather(blocks, before.cid)) old.add(String(cid));
  const start = line.received;
  await writeFile(join(site, "index.html"), `<p>${crypto.randomUUID()}`, { flag: "a" });
  const { cid } = await publish(site, { name: SITE });
  await untilVersion(follower, 2);
  await settled(line);
  const moved = line.received - start;
  let changed = 0;
  for await (const { cid: at, block } of gather(blocks, cid)) {
    if (!old.has(String(at))) changed += block.byteLength;
  }
  return `${moved} bytes moved for ${changed} in changed blocks, ${(moved / changed).toFixed(2)}`;
}

async function switchTimes(push: boolean): Promise<number[]> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await createFolder({ "index.html": "0" }));
  const seeder = stack.use(await createLoopbackNode({ push }));
  const { publish } = createSeeder(seeder);
  const again = () => publish(folder.path, { name: SITE, ...(!push && { ttl: TTL_MS }) });
  const { key } = await again();
  const followers: LoopbackNode[] = [];
  for (let i = 0; i < FOLLOWERS; i++) {
    const follower = stack.use(await createLoopbackNode({ push }));
    // Of one machine, a node takes five connections a second.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await follower.meet(seeder);
    // Each knows some of the others, too.
    for (const other of followers.slice(-2)) await follower.meet(other);
    await follower.follower.follow(key);
    followers.push(follower);
  }
  await Promise.all(followers.map((follower) => untilVersion(follower, 1)));
  const times: number[] = [];
  for (let number = 2; number < 2 + TIMES; number++) {
    await writeFile(join(folder.path, "index.html"), String(number));
    await writeFile(
      join(folder.path, `${number}.bin`),
      crypto.getRandomValues(new Uint8Array(60_000)),
    );
    const { version } = await again();
    const start = performance.now();
    await Promise.all(followers.map((follower) => untilVersion(follower, version.number)));
    times.push(Math.round(performance.now() - start));
  }
  return times;
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
