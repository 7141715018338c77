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
import { type Child, localhost } from "../helpers/process.ts";
import { CLIENT_CORE, SERVER_CORE } from "./gateway-load.ts";
import { print, ratio, type Row, say } from "./table.ts";

const SERVER = fileURLToPath(new URL("tracker-server.ts", import.meta.url));

/** Announces in a small and in a large tracker. */
const FEW = 10_000, MANY = 1_000_000;

/** How long each rate is taken, in seconds. */
const SECONDS = 4;

/** Announces that are signed beforehand, since whoever asks is no faster at it than the tracker: more than can be taken. */
const SIGNED = 60_000;

/** How long the largest tracker may take to fill, in milliseconds. */
const READY_MS = 240_000;

const PARTS = { lookups, renewals, announces, many };

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
  await using tracker = await startServer("tracker", dir, FEW);
  const [root] = (await readFile(join(dir, "keys"), "utf8")).split("\n");
  const path = `/routing/v1/providers/${root}`;
  await writeFile(join(dir, "answer"), await (await fetch(`${tracker.url}${path}`)).text());
  await using bare = await startServer("bare", dir);
  const asks = lookupScript(dir);
  const [theirs] = [await load(bare.url, asks), await load(tracker.url, asks)];
  void theirs;
  const [base, ours] = [await load(bare.url, asks), await load(tracker.url, asks)];
  return [row("look-ups/s ÷ the same answer from a bare Hono route", ours.rate, base.rate)];
}

async function renewals(dir: string): Promise<Row[]> {
  await using tracker = await startServer("tracker", dir, FEW);
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
  const verified = await startServer("verify", dir);
  await verified[Symbol.asyncDispose]();
  await using tracker = await startServer("tracker", dir, FEW);
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
  const announce = `${lines(join(dir, "bodies"))}
    local i = 0
    request = function()
      i = i + 1
      return wrk.format("POST", "/tracker/v1/announce", {}, lines[i])
    end`;
  const ours = await load(tracker.url, announce);
  const what = "first announces/s, signed, on disk ÷ Ed25519 checks/s with nothing around them";
  return [row(what, ours.rate, verified.rate)];
}

async function many(dir: string): Promise<Row[]> {
  const measured = [];
  for (const count of [FEW, MANY]) {
    await using folder = await createFolder({}, dir);
    await using tracker = await startServer("tracker", folder.path, count);
    const asks = lookupScript(folder.path);
    await load(tracker.url, asks);
    const { p99 } = await load(tracker.url, asks, 1);
    const { rate } = await load(tracker.url, asks);
    measured.push({ p99, rate, memory: await resident(tracker.pid) });
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

function row(what: string, a: number, b: number, unit = "/s"): Row {
  const show = (n: number) =>
    unit === "ms" ? `${n.toFixed(2)} ms` : `${Math.round(n).toLocaleString("en")}/s`;
  say(`${what}: ${show(a)} ÷ ${show(b)}`);
  return { what, result: `**${ratio(a, b)}**`, figures: `${show(a)} ÷ ${show(b)}` };
}

type Started = Child & { url: string; rate: number };

async function startServer(kind: string, dir: string, count = 0): Promise<Started> {
  const deno = process.versions.deno ? ["run", "-A"] : [];
  const words = [process.execPath, ...deno, SERVER, kind, dir, String(count)];
  const child = localhost.spawn("taskset", ["-c", SERVER_CORE, ...words]);
  const ready = await child.events.until("ready", { ms: READY_MS });
  return Object.assign(child, { url: String(ready.url), rate: Number(ready.rate) });
}

/** Every key that is told, in any order. */
function lookupScript(dir: string): string {
  return `${lines(join(dir, "keys"))}
    request = function()
      return wrk.format("GET", "/routing/v1/providers/" .. lines[math.random(#lines)])
    end`;
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
  connections = 64,
): Promise<{ rate: number; p99: number }> {
  await using folder = await createFolder({ "load.lua": script });
  const words = ["-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", "-s"];
  const told = await localhost.run("taskset", [
    ...["-c", CLIENT_CORE, "wrk"],
    ...words,
    join(folder.path, "load.lua"),
    url,
  ]);
  if (/Non-2xx|Socket errors/.test(told)) throw new Error(`${url}:\n${told}`);
  const [, time = "", unit] = /^\s+99%\s+([\d.]+)(us|ms|s)/m.exec(told) ?? [];
  const factor = { us: 0.001, ms: 1, s: 1_000 }[unit as "us" | "ms" | "s"];
  return {
    rate: Number(/^Requests\/sec:\s+([\d.]+)/m.exec(told)?.[1]),
    p99: Number(time) * factor,
  };
}

async function resident(pid: number): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, "utf8"));
  return Number(kib?.[1]) * 1024;
}
