/**
 * Kubo, the reference implementation, as a peer and as a yardstick: built from the sources that `test/kubo/go.mod`
 * names, once per machine, or the program that `IPFS_BIN` names. Run as a program, it builds Kubo and prints where.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Host, localhost } from "./process.ts";

const VERSION = "0.43.0";
const MODULE = fileURLToPath(new URL("../kubo/", import.meta.url));
const CACHE = join(
  process.env.XDG_CACHE_HOME || join(homedir(), ".cache"),
  `nethood/kubo-${VERSION}`,
);
/** How long the daemon may take to listen, in milliseconds. */
const READY_MS = 30_000;

export interface KuboOptions {
  /** Its repository; made if it is not there. */
  dir: string;
  /** Profile applied on top of Kubo's own `test` profile, such as `unixfs-v1-2025`. Default: none. */
  profile?: string;
  /** Where it runs. Default: this machine. It listens on that host's address alone. */
  host?: Host;
  /** Starts a daemon that talks to no other peer. Default `false`. */
  offline?: boolean;
  /** Its `Routing` configuration. Default: nobody is asked. */
  routing?: Record<string, unknown>;
}

export interface Kubo extends AsyncDisposable {
  readonly id: string;
  /** Where peers reach it, with `/p2p/` at the end; empty when offline. */
  readonly addresses: string[];
  /** URL of its gateway. */
  readonly gateway: string;
  /** Process id of the daemon. */
  readonly pid: number;
  /** Runs `ipfs` with these words against the daemon; what it printed. */
  ipfs(args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Why there is no Kubo here, or `undefined` if there is one or it can be built. */
export function kuboAvailable(): string | undefined {
  if (process.env.IPFS_BIN || existsSync(join(CACHE, "ipfs"))) return;
  if (spawnSync("go", ["version"]).error) {
    return "there is no Kubo and no Go to build it with (set IPFS_BIN, or install Go)";
  }
}

/** Path of the `ipfs` program, built first if need be: some minutes the first time. */
export async function kuboBinary(): Promise<string> {
  if (process.env.IPFS_BIN) return process.env.IPFS_BIN;
  const program = join(CACHE, "ipfs");
  if (existsSync(program)) return program;
  await mkdir(CACHE, { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  await localhost.run(
    "go",
    ["build", "-trimpath", "-o", unfinished, "github.com/ipfs/kubo/cmd/ipfs"],
    { cwd: MODULE, env: { CGO_ENABLED: "0" } },
  );
  await rename(unfinished, program);
  return program;
}

/** Starts a daemon that knows nobody and looks for nobody. */
export async function createKubo(options: KuboOptions): Promise<Kubo> {
  const { dir, profile, host = localhost, offline = false } = options;
  const { routing = { Type: "none" } } = options;
  const program = await kuboBinary();
  const env = { IPFS_PATH: dir, IPFS_TELEMETRY: "off" };
  const ipfs = (args: string[]) => host.run(program, args, { env });
  const set = (key: string, value: unknown) =>
    ipfs(["config", "--json", key, JSON.stringify(value)]);

  if (!existsSync(join(dir, "config"))) {
    await mkdir(dir, { recursive: true });
    await ipfs(["init", "--profile", ["test", profile].filter(Boolean).join(",")]);
    // the `test` profile already has no bootstrap peers, no mDNS, no AutoConf, and free ports on loopback
    await set("Routing", routing);
    if (host !== localhost) {
      for (const service of ["API", "Gateway"]) {
        await set(`Addresses.${service}`, `/ip4/${host.address}/tcp/0`);
      }
      await set("Addresses.Swarm", [`/ip4/${host.address}/tcp/0`]);
    }
  }
  const daemon = host.spawn(program, offline ? ["daemon", "--offline"] : ["daemon"], { env });
  try {
    await ready(daemon.stdout, () => daemon.log);
    const { ID, Addresses } = JSON.parse(await ipfs(["id"]));
    const stop = async () => void await daemon.stop();
    return {
      id: ID,
      addresses: Addresses ?? [],
      gateway: (await readFile(join(dir, "gateway"), "utf8")).trim(),
      pid: daemon.pid,
      ipfs,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

async function ready(stdout: AsyncIterable<string>, log: () => string) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Kubo is not ready:\n${log()}`)), READY_MS);
  });
  const listens = (async () => {
    for await (const line of stdout) if (line.includes("Daemon is ready")) return;
    throw new Error(`Kubo ended early:\n${log()}`);
  })();
  try {
    await Promise.race([listens, late]);
  } finally {
    clearTimeout(timer);
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(await kuboBinary());
}
