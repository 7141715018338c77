/** One flash crowd: a seeder and its readers in a lab, and what it took until the last reader had everything. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createLab, type Lab } from "../../helpers/lab.ts";
import { median } from "../table.ts";
import { type Agent, type Outcome, startAgent } from "./agent.ts";
import { type Conditions, least, leaving } from "./conditions.ts";
import { type Contestant, hostile } from "./contestants.ts";
import { type Content, createContent } from "./content.ts";
import { busy, type CpuMeter, createCpuMeter, share } from "./machine.ts";
import { createRunFolder } from "./run-folder.ts";
import { now, type Ready } from "./talk.ts";

/** How long the agents may take to start, and to meet, in milliseconds: nine at once on two cores. */
const READY_MS = 90_000;
/** What follows from everybody's meeting is over by then, in milliseconds. */
const SETTLE_MS = 1_000;
/** A run is given up after so many times the least possible, and so many seconds: HTTP with eight readers takes nine. */
const PATIENCE = 12, PATIENCE_SECONDS = 20;
/** How often it is looked whether a leaver has its half, in milliseconds. */
const GLANCE_MS = 250;
/** How long agents may take to stop by themselves, in milliseconds. */
const GRACE_MS = 1_000;
const GIB = 1024 ** 3;
/** In which each agent has a folder of its own. */
const SEEDER = "seeder";

export interface Run {
  contestant: string;
  conditions: Conditions;
  bytes: number;
  /** The least possible, in seconds. */
  least: number;
  /** Seconds that each reader took who stayed, from its own arrival, the fastest first. Those who failed are not here. */
  seconds: number[];
  /** The last reader's seconds ÷ the least possible; undefined unless all came to their end. */
  ratio: number | undefined;
  /** What the seeder's line sent, in copies of the content. */
  seederCopies: number;
  /** What a reader's line received, in copies, at the median. */
  readerCopies: number;
  /** Of the whole machine, from 0 to 1. */
  cpuShare: number;
  /** Of all agents, for a GiB that the readers received. */
  cpuSecondsPerGiB: number;
  /** When the seeder went, in seconds. */
  seederGone?: number;
  /** A sentence for each reader that failed. */
  failures: string[];
}

/** @throws what kept the crowd from coming together; a reader that fails is told in the result */
export async function runCrowd(contestant: Contestant, conditions: Conditions): Promise<Run> {
  await using folder = await createRunFolder();
  await mkdir(join(folder.path, SEEDER));
  const content = await createContent(join(folder.path, SEEDER, "content"), conditions.wanted);
  const { delayMs = 0, rates, hostile: kinds = [] } = conditions;
  const readers = Array.from({ length: conditions.readers }, (_, index) => `r${index + 1}`);
  const enemies = kinds.map((kind, index) => ({ name: `h${index + 1}`, agent: hostile(kind) }));
  const hosts = [SEEDER, ...readers, ...enemies.map(({ name }) => name)];
  await using lab = await createLab({ hosts, delayMs, rates });

  const kill = createKill(conditions);
  const agents: Agent[] = [];
  for (const [index, name] of hosts.entries()) {
    const dir = join(folder.path, name);
    await mkdir(dir, { recursive: true });
    const who = enemies.find((enemy) => enemy.name === name)?.agent ?? contestant;
    const agent = startAgent(lab.hosts[name]!, who, {
      role: index === 0 ? "seeder" : "reader",
      dir,
      source: content.dir,
      bytes: content.bytes,
      before: hosts.slice(0, index).map((name) => lab.hosts[name]!.address),
      others: conditions.readers, // those who mean harm are not waited for
      report: conditions.kill !== undefined,
    }, index === 0 ? undefined : kill.have);
    agents.push(agent);
  }
  try {
    const everyone = await Promise.all(agents.map((agent) => agent.ready(READY_MS)));
    for (const agent of agents) agent.tell({ do: "meet", everyone });
    await Promise.all(agents.map((agent) => agent.met(READY_MS)));
    await sleep(SETTLE_MS);
    return await race(contestant, conditions, { content, lab, agents, everyone, kill });
  } finally {
    for (const agent of agents) agent.tell({ do: "stop" });
    await Promise.race([sleep(GRACE_MS), Promise.all(agents.map(({ exit }) => exit))]);
  }
}

interface Crowd {
  content: Content;
  lab: Lab<string>;
  /** The seeder, the readers, those who mean harm. */
  agents: Agent[];
  everyone: Ready[];
  kill: Kill;
}

async function race(
  contestant: Contestant,
  conditions: Conditions,
  { content, lab, agents, everyone, kill }: Crowd,
): Promise<Run> {
  const { readers: count, staggerMs = 0 } = conditions;
  const [seeder, ...others] = agents as [Agent, ...Agent[]];
  const [readers, enemies] = [others.slice(0, count), others.slice(count)];
  const leavers = readers.slice(count - leaving(conditions));
  const stayers = readers.slice(0, count - leavers.length);
  const bound = least(conditions, content.bytes);
  const end = now() + bound * PATIENCE + PATIENCE_SECONDS + (count * staggerMs) / 1_000;
  const meter = createCpuMeter();
  const look = () => lookAtAll(meter, lab, agents);
  const { leaves = [], ...told } = everyone[0]!;
  const proof = contestant.options.unchecked ? String(content.bytes) : content.sha;
  const known = conditions.kill ? everyone[0]! : told as Ready;

  await look();
  const before = { traffic: await lab.counters(), busy: await busy() };
  const began = now();
  kill.arm(leaves, async () => {
    await meter.look(lab.hosts[SEEDER]!.namespace);
    if (conditions.kill === "cable") await lab.cable(SEEDER, "down");
    else seeder.kill();
    return now() - began;
  });
  const go = (agent: Agent) => agent.tell({ do: "go", seeder: known, everyone, proof });
  enemies.forEach(go);
  const outcomes = await Promise.all(readers.map(async (reader, index) => {
    await sleep((began - now()) * 1_000 + index * staggerMs);
    const arrived = now();
    go(reader);
    if (leavers.includes(reader)) {
      await leaveHalfWay(reader, lab, before.traffic[reader.host]!.received, content.bytes, end);
      await meter.look(lab.hosts[reader.host]!.namespace);
      reader.tell({ do: "stop" });
      return { reader, seconds: NaN, outcome: { at: NaN } as Outcome };
    }
    const outcome = await reader.outcome((end - now()) * 1_000);
    return { reader, outcome, seconds: "at" in outcome ? outcome.at - arrived : NaN };
  }));
  const after = { traffic: await lab.counters(), busy: await busy() };
  await look();

  const seconds = outcomes.map(({ seconds }) => seconds).filter((n) => !isNaN(n))
    .sort((a, b) => a - b);
  const received = readers.map(({ host }) =>
    after.traffic[host]!.received - before.traffic[host]!.received
  );
  const gone = kill.gone();
  return {
    contestant: contestant.name,
    conditions,
    bytes: content.bytes,
    least: bound,
    seconds,
    ratio: seconds.length === stayers.length ? seconds.at(-1)! / bound : undefined,
    seederCopies: (after.traffic[SEEDER]!.sent - before.traffic[SEEDER]!.sent) / content.bytes,
    readerCopies: median(received.slice(0, stayers.length)) / content.bytes,
    cpuShare: share(before.busy, after.busy),
    cpuSecondsPerGiB: meter.seconds() / (received.reduce((sum, n) => sum + n, 0) / GIB),
    ...(gone === undefined ? {} : { seederGone: gone }),
    failures: [
      ...outcomes.flatMap(({ reader, outcome }) =>
        "failed" in outcome ? [`${reader.host}: ${outcome.failed}`] : []
      ),
      ...(conditions.kill && gone === undefined ? ["the seeder was never taken away"] : []),
    ],
  };
}

async function lookAtAll(meter: CpuMeter, lab: Lab<string>, agents: Agent[]): Promise<void> {
  for (const { host } of agents) await meter.look(lab.hosts[host]!.namespace);
}

async function leaveHalfWay(
  { host }: Agent,
  lab: Lab<string>,
  from: number,
  bytes: number,
  end: number,
): Promise<void> {
  while ((await lab.counters())[host]!.received - from < bytes / 2 && now() < end) {
    await sleep(GLANCE_MS);
  }
}

interface Kill {
  /** A reader has a leaf. */
  have(leaf: string): void;
  /** From now on; `strike` takes the seeder away, and tells when. */
  arm(leaves: string[], strike: () => Promise<number>): void;
  /** When it was, in seconds. */
  gone(): number | undefined;
}

/** Strikes once, as soon as the readers together have every leaf. */
function createKill({ kill }: Conditions): Kill {
  const held = new Set<string>();
  let check = () => {};
  let at: number | undefined;
  return {
    have(leaf) {
      held.add(leaf);
      check();
    },
    arm(leaves, strike) {
      if (!kill) return;
      check = () => {
        if (!leaves.every((leaf) => held.has(leaf))) return;
        check = () => {};
        // What fails here fails the run: the seeder was never taken away.
        strike().then((seconds) => at = seconds, (error) => console.error(error));
      };
      check();
    },
    gone: () => at,
  };
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
