/**
 * Several hosts on one machine: a network namespace each, joined by a bridge in a namespace of its own, or, with
 * `delayMs`, by a switch in user space that holds every frame for that long (`delay.c`; netem is not in every kernel).
 * The hosts see each other and their own loopback, and nothing else. Their lines are as wide as `rates` says (`line.ts`).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { limit, type Rates, ratesAvailable, type Traffic, traffic } from "./line.ts";
import { createHost, type Host, localhost } from "./process.ts";

/** What `ip netns exec` lays over /etc inside a namespace: see ip-netns(8). */
const NETNS_ETC = "/etc/netns";

export interface LabOptions<Name extends string> {
  /** Names of the hosts; they get 10.77.0.1, 10.77.0.2 … in this order. */
  hosts: readonly Name[];
  /** One-way delay between any two hosts, in milliseconds. Default 0: a plain bridge. Needs a C compiler. */
  delayMs?: number;
  /** What the hosts' lines carry, in bits a second. Default: whatever the machine can. */
  rates?: Rates;
}

export interface LabHost extends Host {
  /** Name of its network namespace. */
  readonly namespace: string;
  /** Sets the resolvers that programs started from now on find in /etc/resolv.conf. */
  setResolvers(servers: string[]): Promise<void>;
}

export interface Lab<Name extends string> extends AsyncDisposable {
  readonly hosts: Record<Name, LabHost>;
  /** What each host has sent and received so far. */
  counters(): Promise<Record<Name, Traffic>>;
  /** Pulls or plugs in a host's cable. Nobody is told: there is only silence. */
  cable(host: Name, state: "up" | "down"): Promise<void>;
}

let labs = 0;

/** Why there can be no lab on this machine, or `undefined` if there can. */
export function labAvailable(
  options: { delay?: boolean; rates?: boolean } = {},
): string | undefined {
  if (process.platform !== "linux") return "network namespaces are a Linux thing";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  if (spawnSync("ip", ["-V"]).error) return "there is no `ip` (Debian package iproute2)";
  if (options.delay && spawnSync("cc", ["--version"]).error) return "there is no C compiler";
  const trial = `nethood-${process.pid}-trial`;
  const added = spawnSync("ip", ["netns", "add", trial], { encoding: "utf8" });
  if (added.status !== 0) return `no network namespaces here: ${added.stderr.trim()}`;
  const missing = options.rates ? ratesAvailable(trial) : undefined;
  spawnSync("ip", ["netns", "del", trial]);
  return missing;
}

/** Makes the hosts and joins them. Leaving scope ends every process in them and takes them away. */
export async function createLab<const Name extends string>(
  { hosts, delayMs = 0, rates }: LabOptions<Name>,
): Promise<Lab<Name>> {
  const prefix = `nethood-${process.pid}-${++labs}-`;
  const wires = `${prefix}switch`;
  const dir = mkdtempSync(join(tmpdir(), prefix));
  const port = (index: number) => `port${index}`;
  const namespaces = [wires, ...hosts.map((name) => prefix + name)];
  const remove = () => {
    process.off("exit", remove);
    for (const namespace of namespaces) dissolve(namespace);
    rmSync(dir, { recursive: true, force: true });
  };
  process.on("exit", remove); // a test over its time never leaves its scope

  try {
    for (const namespace of namespaces) {
      await ip("netns", "add", namespace);
      await ip("-n", namespace, "link", "set", "lo", "up");
    }
    const made: [string, LabHost][] = [];
    for (const [index, name] of hosts.entries()) {
      const host = createLabHost(name, `10.77.0.${index + 1}`, prefix + name);
      await plug(host, wires, port(index));
      if (rates) {
        const { up, down, seedUp = up } = rates;
        await limit(host.namespace, "eth0", index === 0 ? seedUp : up);
        await limit(wires, port(index), down);
      }
      made.push([name, host]);
    }
    const ports = hosts.map((_, index) => port(index));
    if (delayMs > 0) await delay(wires, ports, delayMs, dir);
    else await bridge(wires, ports);
    return {
      hosts: Object.fromEntries(made) as Record<Name, LabHost>,
      async counters() {
        const passed = await traffic(wires);
        const of = hosts.map((name, index) => [name, passed.get(port(index))!]);
        return Object.fromEntries(of) as Record<Name, Traffic>;
      },
      async cable(host, state) {
        await ip("-n", wires, "link", "set", port(hosts.indexOf(host)), state);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(remove()),
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function createLabHost(name: string, address: string, namespace: string): LabHost {
  return {
    ...createHost(name, address, ["ip", "netns", "exec", namespace]),
    namespace,
    setResolvers: async (servers) => {
      const etc = join(NETNS_ETC, namespace);
      await mkdir(etc, { recursive: true });
      await writeFile(join(etc, "resolv.conf"), servers.map((s) => `nameserver ${s}\n`).join(""));
    },
  };
}

/** A cable between a host's eth0 and a port of the switch. */
async function plug({ namespace, address }: LabHost, wires: string, port: string) {
  const end = ["link", "add", "eth0", "netns", namespace, "type", "veth"];
  await ip(...end, "peer", "name", port, "netns", wires);
  await ip("-n", namespace, "addr", "add", `${address}/16`, "dev", "eth0");
  await ip("-n", namespace, "link", "set", "eth0", "up");
  await ip("-n", wires, "link", "set", port, "up");
  await ip("-n", namespace, "route", "add", "default", "dev", "eth0");
  await ip("-n", namespace, "route", "add", "224.0.0.0/4", "dev", "eth0"); // multicast DNS
}

async function bridge(wires: string, ports: string[]) {
  // without snooping multicast reaches every port, as on a home router's switch
  await ip("-n", wires, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0");
  for (const port of ports) await ip("-n", wires, "link", "set", port, "master", "br0");
  await ip("-n", wires, "link", "set", "br0", "up");
}

async function delay(wires: string, ports: string[], ms: number, dir: string) {
  const program = join(dir, "delay");
  await localhost.run("cc", [
    "-O2",
    "-o",
    program,
    fileURLToPath(new URL("./delay.c", import.meta.url)),
  ]);
  const device = createHost("switch", "", ["ip", "netns", "exec", wires])
    .spawn(program, [String(Math.round(ms * 1000)), ...ports]);
  await device.events.until("ready");
}

/** Ends what runs in a namespace, and only that, then takes the namespace away. */
function dissolve(namespace: string) {
  const { stdout } = spawnSync("ip", ["netns", "pids", namespace], { encoding: "utf8" });
  for (const pid of (stdout ?? "").split("\n").filter(Boolean)) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // ended by itself meanwhile
    }
  }
  spawnSync("ip", ["netns", "del", namespace]);
  rmSync(join(NETNS_ETC, namespace), { recursive: true, force: true });
}

const ip = (...args: string[]): Promise<string> => localhost.run("ip", args);
