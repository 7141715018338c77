/**
 * Prints the README's table of the tracker. Every server has the first core of the machine to itself, whoever asks has the
 * second. Run: deno task bench:tracker, or node test/bench/tracker.ts; with names of parts, only those.
 */
import { generateKeyPair } from "@libp2p/crypto/keys";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { signAnnounce } from "../../src/routing/announce.ts";
import { createFolder } from "../helpers/folder.ts";
import { processMemory } from "../helpers/process-memory.ts";
import { type Child, localhost } from "../helpers/process.ts";
import { createRedis, redisAvailable } from "../helpers/redis.ts";
import { BOTH_CORES, CLIENT_CORE, SERVER_CORE } from "./gateway-load.ts";
import { median, print, ratio, type Row, say } from "./table.ts";

const SERVER = fileURLToPath(new URL("tracker-server.ts", import.meta.url));

/** Announces in a small and in a large tracker. */
const FEW = 10_000, MANY = 1_000_000;

/** How long each rate is taken, in seconds; and from how many connections. */
const SECONDS = 4, CONNECTIONS = 64;

/** Announces that are signed beforehand, since whoever asks is no faster at it than the tracker: more than can be taken. */
const SIGNED = 80_000;

/** How long the largest tracker may take to fill, in milliseconds. */
const READY_MS = 240_000;

/** Look-ups that are sent at once where whoever asks shares the cores. */
const PIPELINED = 32;

/** Whoever asks two trackers: on both cores, and only where these leave them. */
const UNHURRIED = ["taskset", "-c", BOTH_CORES, "chrt", "--batch", "0", "nice", "-n", "5"];

/** How often two are compared in turns: a slow moment of the machine meets both. */
const ROUNDS = 3;

const PARTS = { lookups, renewals, announces, many, shared };

if (spawnSync("sh", ["-c", "command -v wrk && command -v taskset"]).status !== 0) {
  say("The tracker cannot be measured here: wrk or taskset is not installed.");
  process.exit(1);
}
const wanted = process.argv.slice(2);
const rows: Row[] = [];
for (const [name, measure] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  await using folder = await createFolder();
  rows.push(...await measure(folder.path));
}
print(rows);

async function lookups(dir: string): Promise<Row[]> {
  await using tracker = await startTracker(dir, FEW);
  const [root] = (await readFile(join(dir, "keys"), "utf8")).split("\n");
  const path = `/routing/v1/providers/${root}`;
  const answer = await fetch(`${tracker.url}${path}`);
  const headers = Object.fromEntries(answer.headers);
  // The server's own.
  for (const name of ["content-length", "date"]) delete headers[name];
  const same = JSON.stringify({ text: await answer.text(), headers });
  await writeFile(join(dir, "answer"), same);
  await using bare = await startServer("bare", dir);
  const asks = lookupScript(dir);
  await load(bare.url, asks);
  await load(tracker.url, asks);
  const base: number[] = [], ours: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    base.push((await load(bare.url, asks)).rate);
    ours.push((await load(tracker.url, asks)).rate);
  }
  const what = "look-ups/s ÷ the same answer from a bare Hono route";
  return [row(what, median(ours), median(base))];
}

async function renewals(dir: string): Promise<Row[]> {
  await using tracker = await startTracker(dir, FEW);
  await using other = await startServer("bittorrent", dir);
  const renew = `${lines(join(dir, "tokens"))}
    request = function()
      return wrk.format("POST", "/tracker/v1/renew", {}, '{"token":"' .. lines[math.random(#lines)] .. '"}')
    end`;
  const announce = `request = function()
      local n = string.format("%020d", math.random(10000))
      return wrk.format("GET", "/announce?info_hash=" .. n .. "&peer_id=" .. n
        .. "&port=6881&uploaded=0&downloaded=0&left=0&compact=1")
    end`;
  await load(other.url, announce);
  await load(tracker.url, renew);
  const [theirs, ours] = [await load(other.url, announce), await load(tracker.url, renew)];
  return [row("renewals/s, on disk ÷ bittorrent-tracker's announces/s", ours.rate, theirs.rate)];
}

async function announces(dir: string): Promise<Row[]> {
  await using tracker = await startTracker(dir, FEW);
  const keys = (await readFile(join(dir, "keys"), "utf8")).split("\n");
  const bodies: string[] = [];
  for (let i = 0; i < SIGNED; i++) {
    bodies.push(
      await signAnnounce(await generateKeyPair("Ed25519"), {
        tracker: "http://127.0.0.1",
        event: "started",
        seeds: [keys[i % keys.length]!],
        addrs: ["/ip4/192.0.2.7/tcp/4001", "/ip4/192.0.2.7/udp/4001/quic-v1"],
      }),
    );
  }
  await writeFile(join(dir, "bodies"), bodies.join("\n"));
  const announce = (first: number) =>
    `${lines(join(dir, "bodies"))}
    local i = ${first}
    request = function()
      i = i + 1
      return wrk.format("POST", "/tracker/v1/announce", {}, lines[i])
    end`;
  const before = await verifications(dir);
  const { requests } = await load(tracker.url, announce(0));
  // Whoever asks has had some ready that were never sent.
  const ours = await load(tracker.url, announce(requests + CONNECTIONS));
  const after = await verifications(dir);
  return [
    ["by node:crypto", before.native, after.native] as const,
    ["by WebCrypto", before.web, after.web] as const,
  ].map(([how, ...rates]) => {
    const what = `first announces/s, signed, on disk ÷ Ed25519 checks/s alone, ${how}`;
    return row(what, ours.rate, Math.max(...rates));
  });
}

/** Checks a second with nothing around them. */
async function verifications(dir: string): Promise<{ native: number; web: number }> {
  await using verified = await startServer("verify", dir);
  return verified;
}

async function many(dir: string): Promise<Row[]> {
  await using small = await createFolder({}, dir);
  await using large = await createFolder({}, dir);
  await using first = await startTracker(small.path, FEW);
  await using second = await startTracker(large.path, MANY);
  const asked = ([[first, small], [second, large]] as const).map(([tracker, { path }]) => {
    const asks = lookupScript(path);
    const ask = (connections?: number) => load(tracker.url, asks, connections);
    return { ask, memory: () => processMemory(tracker.pid, "VmRSS"), p99s: [] as number[] };
  });
  for (const { ask } of asked) await ask();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { ask, p99s } of asked) p99s.push((await ask(1)).p99);
  }
  const measured = [];
  for (const { ask, memory, p99s } of asked) {
    const { rate } = await ask();
    measured.push({ p99: median(p99s), rate, memory: await memory() });
  }
  const [few, all] = measured as [typeof measured[0], typeof measured[0]];
  return [
    {
      what: "a million announces: memory",
      result: `**${Math.round(all.memory / 1e6)} MB**`,
      figures: `${Math.round(few.memory / 1e6)} MB with ten thousand`,
    },
    row("the same: look-ups' p99 ÷ with ten thousand", all.p99, few.p99, "ms"),
    row("the same: look-ups/s, all of different keys ÷ with ten thousand", all.rate, few.rate),
  ];
}

/**
 * On both cores, which the trackers share with Redis and with whoever asks: those who ask stand for other machines, so they take
 * the cores only when nobody else wants them, and send many look-ups at once.
 */
async function shared(dir: string): Promise<Row[]> {
  const missing = redisAvailable();
  if (missing !== undefined) {
    say(`Trackers that share a store cannot be measured: ${missing}.`);
    return [];
  }
  await using redis = await createRedis();
  await using first = await startTracker(dir, FEW, redis.url);
  await using second = await startServer("tracker", dir, 0, redis.url);
  const asks = pipelineScript(dir);
  const both = async () =>
    (await Promise.all([first, second].map(({ url }) => load(url, asks, CONNECTIONS, UNHURRIED))))
      .reduce((sum, { rate }) => sum + rate, 0);
  await both();
  const alone: number[] = [], together: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    alone.push((await load(first.url, asks, CONNECTIONS, UNHURRIED)).rate);
    together.push(await both());
  }
  const what = "look-ups/s of two trackers on one Redis ÷ of one, on two cores";
  return [row(what, median(together), median(alone))];
}

function row(what: string, a: number, b: number, unit = "/s"): Row {
  const show = (n: number) =>
    unit === "ms" ? `${n.toFixed(2)} ms` : `${Math.round(n).toLocaleString("en")}/s`;
  say(`${what}: ${show(a)} ÷ ${show(b)}`);
  return { what, result: `**${ratio(a, b)}**`, figures: `${show(a)} ÷ ${show(b)}` };
}

type Started = Child & { url: string; native: number; web: number };

/** A tracker that has so many announces. */
async function startTracker(dir: string, count: number, store = ""): Promise<Started> {
  await (await startServer("fill", dir, count, store))[Symbol.asyncDispose]();
  return await startServer("tracker", dir, 0, store);
}

/** @param store of trackers that share one: they have both cores */
async function startServer(kind: string, dir: string, count = 0, store = ""): Promise<Started> {
  const deno = process.versions.deno ? ["run", "-A"] : [];
  const words = [process.execPath, ...deno, SERVER, kind, dir, String(count), store];
  const cores = store === "" ? SERVER_CORE : BOTH_CORES;
  const child = localhost.spawn("taskset", ["-c", cores, ...words]);
  const ready = await child.events.until("ready", { ms: READY_MS });
  const { url, native, web } = ready;
  return Object.assign(child, { url: String(url), native: Number(native), web: Number(web) });
}

/** Every key that is told, in any order. */
function lookupScript(dir: string): string {
  return `${lines(join(dir, "keys"))}
    request = function()
      return wrk.format("GET", "/routing/v1/providers/" .. lines[math.random(#lines)])
    end`;
}

/** The same, many at once: whoever asks takes less of the cores then, as if it were on another machine. */
function pipelineScript(dir: string): string {
  return `${lines(join(dir, "keys"))}
    local pipelines = {}
    init = function()
      for i = 1, #lines do
        local asks = {}
        for n = 1, ${PIPELINED} do
          asks[n] = wrk.format("GET", "/routing/v1/providers/" .. lines[math.random(#lines)])
        end
        pipelines[i] = table.concat(asks)
      end
    end
    request = function() return pipelines[math.random(#pipelines)] end`;
}

/** Lua: the lines of a file. */
function lines(file: string): string {
  return `local lines = {}
    for line in io.lines("${file}") do lines[#lines + 1] = line end`;
}

/** Requests a second that were answered, all of them well; and the 99th percentile of how long one took, in milliseconds. */
async function load(
  url: string,
  script: string,
  connections = CONNECTIONS,
  place = ["taskset", "-c", CLIENT_CORE],
): Promise<{ requests: number; rate: number; p99: number }> {
  await using folder = await createFolder({ "load.lua": script });
  const words = ["-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", "--timeout", "10s", "-s"];
  const [program, ...before] = place as [string, ...string[]];
  const file = join(folder.path, "load.lua");
  const told = await localhost.run(program, [...before, "wrk", ...words, file, url]);
  if (/Non-2xx|Socket errors/.test(told)) throw new Error(`${url}:\n${told}`);
  const [, time = "", unit] = /^\s+99%\s+([\d.]+)(us|ms|s)/m.exec(told) ?? [];
  const factor = { us: 0.001, ms: 1, s: 1_000 }[unit as "us" | "ms" | "s"];
  return {
    requests: Number(/^\s+(\d+) requests in/m.exec(told)?.[1]),
    rate: Number(/^Requests\/sec:\s+([\d.]+)/m.exec(told)?.[1]),
    p99: Number(time) * factor,
  };
}
