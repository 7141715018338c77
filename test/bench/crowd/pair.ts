/** Two nodes and one file on one machine, without a line between them: what a byte costs. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createLab } from "../../helpers/lab.ts";
import { createHost } from "../../helpers/process.ts";
import { median, type Row, say } from "../table.ts";
import { startAgent } from "./agent.ts";
import { bareStreams, type Contestant, kubo, nethood } from "./contestants.ts";
import { type Content, createContent } from "./content.ts";
import { createCpuMeter, peakMemory } from "./machine.ts";
import { factor } from "./report.ts";
import { createRunFolder } from "./run-folder.ts";
import { now } from "./talk.ts";

const READY_MS = 120_000;
const TRANSFER_MS = 300_000;
const GIB = 1024 ** 3, MIB = 1024 ** 2;

export interface PairOptions {
  reps: number;
  mib?: number | undefined;
  /** Of the seeding, in bytes. Default: `seed`'s own. */
  chunk?: number | undefined;
}

interface Transfer {
  seconds: number;
  /** Of both ends. */
  cpuSeconds: number;
  /** The most that the reader had, in bytes. */
  memory: number;
}

export async function measurePair({ reps, mib = 512, chunk }: PairOptions): Promise<Row[]> {
  await using folder = await createRunFolder();
  const content = await createContent(join(folder.path, "content"), { mib });
  const ours: Contestant = nethood(chunk);
  const contestants = [ours, bareStreams, kubo].filter((contestant) => {
    const missing = contestant.missing();
    if (missing !== undefined) say(`left out: ${contestant.name} (${missing})`);
    return missing === undefined;
  });
  const transfers = new Map(contestants.map((c) => [c, [] as Transfer[]]));
  for (let rep = 0; rep < reps; rep++) {
    for (const contestant of contestants) {
      const transfer = await carry(contestant, content);
      transfers.get(contestant)!.push(transfer);
      say(`pair, ${rep + 1} of ${reps}: ${contestant.name} ${told(transfer, content)}`);
    }
  }
  const [mine, ...others] = [...transfers].map(([{ name }, all]) => ({
    name,
    seconds: median(all.map(({ seconds }) => seconds)),
    cpuSeconds: median(all.map(({ cpuSeconds }) => cpuSeconds)),
    memory: median(all.map(({ memory }) => memory)),
  }));
  return others.map(({ name, ...theirs }) => ({
    what: `two nodes, one file of ${mib} MiB, loopback: time ÷ ${name}`,
    result: `**${factor(mine!.seconds / theirs.seconds)}**`,
    figures: `${told(mine!, content)} ÷ ${told(theirs, content)}`,
  }));
}

function told({ seconds, cpuSeconds, memory }: Transfer, { bytes }: Content): string {
  const rate = Math.round(bytes / MIB / seconds), perGiB = (cpuSeconds / (bytes / GIB)).toFixed(1);
  const most = Math.round(memory / MIB);
  return `${seconds.toFixed(1)} s (${rate} MiB/s, ${perGiB} CPU s/GiB, reader ${most} MiB)`;
}

async function carry(contestant: Contestant, content: Content): Promise<Transfer> {
  // A namespace has a loopback of its own: the ports are free, and its processes are all that is counted.
  await using lab = await createLab({ hosts: ["pair"] });
  await using folder = await createRunFolder();
  const { namespace } = lab.hosts.pair;
  const options = { ...contestant.options, unchecked: true };
  const addresses = ["127.0.0.1", "127.0.0.2"];
  const agents = [];
  for (const [index, address] of addresses.entries()) {
    const dir = join(folder.path, address);
    await mkdir(dir);
    const host = createHost(address, address, ["ip", "netns", "exec", namespace]);
    agents.push(startAgent(host, { ...contestant, options }, {
      role: index === 0 ? "seeder" : "reader",
      dir,
      source: content.dir,
      bytes: content.bytes,
      before: addresses.slice(0, index),
      others: 1,
      report: false,
    }));
  }
  const [seeder, reader] = await Promise.all(agents.map((agent) => agent.ready(READY_MS)));
  const everyone = [seeder!, reader!];
  for (const agent of agents) agent.tell({ do: "meet", everyone });
  await Promise.all(agents.map((agent) => agent.met(READY_MS)));

  const meter = createCpuMeter();
  await meter.look(namespace);
  const began = now();
  agents[1]!.tell({ do: "go", seeder: seeder!, everyone, proof: String(content.bytes) });
  const outcome = await agents[1]!.outcome(TRANSFER_MS);
  await meter.look(namespace);
  if ("failed" in outcome) throw new Error(`${contestant.name}: ${outcome.failed}`);
  const memory = await peakMemory(agents[1]!.pid);
  return { seconds: outcome.at - began, cpuSeconds: meter.seconds(), memory };
}
