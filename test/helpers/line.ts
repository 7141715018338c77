/**
 * A host's line: a token bucket at each end of its cable, the host's for what it sends and the switch's for what it is sent,
 * and what has passed through it. Without a bucket a cable carries whatever the machine can.
 */
import { spawnSync } from "node:child_process";
import { localhost } from "./process.ts";

/** Bits a second of the line of every host. */
export interface Rates {
  up: number;
  down: number;
  /** Up, of the first host, which has what the others want. Default: as the others. */
  seedUp?: number;
}

/** Bytes that a host has sent and received, its Ethernet frames in full. */
export interface Traffic {
  sent: number;
  received: number;
}

/** What may pass at once: about twenty frames. */
const BURST = "32kb";
/** The longest that a frame waits for its turn before it is dropped, as in a good home router. */
const QUEUE = "100ms";

/** Why there can be no rates on this machine, or `undefined` if there can; `namespace` is for trying it out. */
export function ratesAvailable(namespace: string): string | undefined {
  const { error, status, stderr } = spawnSync(
    "ip",
    ["netns", "exec", namespace, "tc", ...bucket("lo", 1e6)],
    { encoding: "utf8" },
  );
  if (error || status !== 0) return `no token buckets here: ${stderr?.trim()}`;
}

/** Lets no more than `bits` a second out of a device. */
export async function limit(namespace: string, device: string, bits: number): Promise<void> {
  // Honest sizes: what the kernel hands over in one piece of 64 KiB would pass, or be dropped, in one piece.
  const offloads = ["tso", "gso", "gro", "tx", "rx"].flatMap((name) => [name, "off"]);
  const within = ["netns", "exec", namespace];
  if (ethtool()) await localhost.run("ip", [...within, "ethtool", "-K", device, ...offloads]);
  await localhost.run("ip", [...within, "tc", ...bucket(device, bits)]);
}

/** What has passed the ports of a switch, as the hosts at the other ends count it. */
export async function traffic(namespace: string): Promise<Map<string, Traffic>> {
  const told = await localhost.run("ip", ["-n", namespace, "-s", "-j", "link", "show"]);
  const links: { ifname: string; stats64: Record<"tx" | "rx", { bytes: number }> }[] = JSON.parse(
    told,
  );
  return new Map(
    links.map(({ ifname, stats64: { rx, tx } }) => [
      ifname,
      { sent: rx.bytes, received: tx.bytes },
    ]),
  );
}

function bucket(device: string, bits: number): string[] {
  const words = ["rate", `${Math.round(bits)}bit`, "burst", BURST, "latency", QUEUE];
  return ["qdisc", "replace", "dev", device, "root", "tbf", ...words];
}

let has: boolean | undefined;
function ethtool(): boolean {
  return has ??= spawnSync("ethtool", ["--version"]).error === undefined;
}
