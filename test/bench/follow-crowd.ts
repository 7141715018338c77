/**
 * How soon many followers hold a new version: a publisher who watches a folder, and followers, each the shipped program on a
 * host with a line of its own. Each knows the publisher and two of the others.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { createFolder } from "../helpers/folder.ts";
import { createLab, type LabHost } from "../helpers/lab.ts";
import { type Child, localhost } from "../helpers/process.ts";
import { createContent } from "./crowd/content.ts";
import { say } from "./table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NAME = "docs.example.org";
const PUBLISHER = "publisher";
const PORT = 4001;

/** Bytes of the file that is new in each version, beside a page that is changed. */
const NEW_BYTES = 60_000;

/** How many start at once, and how long each may take, in milliseconds: two cores are all there may be. */
const AT_ONCE = 5, START_MS = 90_000;

/** The last version may be late by so much before it is given up, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Between two versions, in milliseconds, and as much again by chance: who asks now and then is not to be met in step. */
const PAUSE_MS = 2_000;

export interface FollowCrowdOptions {
  followers: number;
  /** Whether new versions are pushed; else they are asked for. */
  push: boolean;
  /** In seconds. */
  ttl: number;
  /** How many versions are published after the first. */
  versions: number;
}

/**
 * @returns for each version, milliseconds from when it was made until each follower said that it is here whole, the first first
 * @throws {Error} where somebody does not start, or stays behind
 */
export async function measureFollowCrowd(
  { followers: count, push, ttl, versions }: FollowCrowdOptions,
): Promise<number[][]> {
  if (process.versions.deno) {
    await localhost.run(process.execPath, ["cache", "node.ts"], { cwd: ROOT });
  }
  await using folder = await createFolder();
  const site = join(folder.path, "site");
  await createContent(site, "site");
  const names = Array.from({ length: count }, (_, index) => `f${index + 1}`);
  await using lab = await createLab({
    hosts: [PUBLISHER, ...names],
    rates: { up: 20e6, down: 100e6 },
    delayMs: 10,
  });
  const publisher: LabHost = lab.hosts[PUBLISHER]!;
  const hosts: LabHost[] = names.map((name) => lab.hosts[name]!);
  const start = (host: LabHost, words: string[]) => {
    const place = ["--no-mdns", "--listen", at(host), "--port", "0"];
    const dir = join(folder.path, host.name);
    return run(host, [...words, ...place, ...push ? [] : ["--no-push"], "--dir", dir]);
  };

  const watching = ["--watch", "--quiet", "0.3", "--ttl", `${ttl}s`];
  const seeder = start(publisher, ["seed", site, "--name", NAME, ...watching]);
  const { name: key } = await seeder.events.until("seed:done", { ms: START_MS });
  await seeder.events.until("ready", { ms: START_MS });
  const followers: Child[] = [];
  for (let first = 0; first < count; first += AT_ONCE) {
    const group = hosts.slice(first, first + AT_ONCE).map((host, i) => {
      const known = [publisher, ...hosts.slice(Math.max(0, first + i - 2), first + i)];
      return start(host, ["follow", String(key), ...known.flatMap((peer) => ["--peer", at(peer)])]);
    });
    followers.push(...group);
    await Promise.all(group.map((child) => holds(child, 1, START_MS)));
    say(`${followers.length} of ${count} follow`);
  }

  const arrivals: number[][] = [];
  for (let number = 2; number < 2 + versions; number++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (1 + Math.random())));
    await writeFile(join(site, `${number}.bin`), randomBytes(NEW_BYTES));
    await writeFile(join(site, "index.html"), `<h1>${number}</h1>`);
    const late = ttl * 1_000 + PATIENCE_MS;
    arrivals.push(await Promise.all(followers.map((child) => holds(child, number, late))));
  }
  const made = await timesOf(publisher, join(folder.path, publisher.name));
  return arrivals.map((all, i) => all.map((at) => at - made.get(i + 2)!).sort((a, b) => a - b));
}

/** @returns when it said so, in milliseconds since 1970 */
async function holds(child: Child, number: number, ms: number): Promise<number> {
  await child.events.until("follow:version", { where: { number }, ms });
  return Date.now();
}

/** When each version was made, by number: a moment before it was signed, and told to anybody. */
async function timesOf(host: LabHost, dir: string): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  await using log = run(host, ["site", "log", NAME, "--dir", dir]);
  for await (const line of log.stdout) {
    const { event, number, time } = JSON.parse(line);
    if (event === "site:version") times.set(number, time);
  }
  return times;
}

function run(host: LabHost, words: string[]): Child {
  const program = process.versions.deno ? ["run", "-P", "node.ts"] : ["node.ts"];
  return host.spawn(process.execPath, [...program, ...words, "--json"], { cwd: ROOT });
}

function at({ address }: LabHost): string {
  return `/ip4/${address}/tcp/${PORT}`;
}
