/**
 * A resolver as most of the internet's: Debian's Unbound asks from zone to zone, with as little of a name as each needs, in a
 * random case that it wants back, and checks signatures.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { addFiles, createFolder } from "./folder.ts";
import type { Child, Host } from "./process.ts";
import { until } from "./until.ts";

export interface UnboundOptions {
  /** Where it runs, on port 53. */
  host: Host;
  /** The zone it knows how to find, and where that is. */
  zone: string;
  server: string;
  /** The zone's DNSKEY records, in zone-file form. */
  anchors: string[];
}

/** Why Unbound can't run here, or `undefined` if it can. */
export function unboundAvailable(): string | undefined {
  if (spawnSync("unbound", ["-V"]).error) {
    return "there is no `unbound` (Debian package unbound)";
  }
}

export async function createUnbound(options: UnboundOptions): Promise<AsyncDisposable> {
  const { host, zone, server, anchors } = options;
  const folder = await createFolder();
  const dir = folder.path;
  let child: Child | undefined;
  const stop = async () => {
    await child?.stop();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await addFiles(dir, {
      "anchors": anchors.map((line) => `${line}\n`).join(""),
      "unbound.conf": [
        "server:",
        `  interface: ${host.address}`,
        "  access-control: 0.0.0.0/0 allow",
        `  directory: "${dir}"`,
        '  chroot: ""',
        '  username: ""',
        '  pidfile: ""',
        "  do-daemonize: no",
        "  use-syslog: no",
        "  verbosity: 1",
        '  module-config: "validator iterator"',
        `  trust-anchor-file: "${dir}/anchors"`,
        "  use-caps-for-id: yes",
        "  qname-minimisation-strict: yes",
        "  num-threads: 1",
        "stub-zone:",
        `  name: "${zone}"`,
        `  stub-addr: ${server}`,
        "remote-control:",
        "  control-enable: no",
        "",
      ].join("\n"),
    });
    const running = child = host.spawn("unbound", ["-d", "-c", join(dir, "unbound.conf")]);
    let ended = false;
    running.exit.then(() => ended = true, () => ended = true);
    await until("unbound starts", () => ended || running.log.includes("start of service"));
    if (ended) throw new Error(`unbound did not start:\n${running.log}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}
