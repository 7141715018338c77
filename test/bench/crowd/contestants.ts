/** Who is put into a crowd: programs that are agents as talk.ts says, and why one of them may not be here. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { kuboAvailable } from "../../helpers/kubo.ts";
import type { Hostile } from "./conditions.ts";

export interface Contestant {
  name: string;
  /** What starts the agent; its config comes behind. */
  program: [string, ...string[]];
  options: Record<string, unknown>;
  /** Why it cannot take part on this machine; undefined where it can. */
  missing(): string | undefined;
}

/** Debian's own Python, which sees Debian's packages. */
const PYTHON = "/usr/bin/python3";
const KIB = 1024;

/** Nethood as it is shipped. `chunk` is that of the seeding, in bytes; without one, `seed`'s own. */
export function nethood(chunk?: number): Contestant {
  return {
    name: "Nethood" + (chunk === undefined ? "" : `, ${chunk / KIB} KiB chunks`),
    program: onThisRuntime("node-agent.ts"),
    options: chunk === undefined ? {} : { chunk },
    missing: () => undefined,
  };
}

/** The same, introduced by nobody: readers know a tracker alone, which runs beside the seeder. */
export function tracked(chunk?: number): Contestant {
  const introduced = nethood(chunk);
  return {
    ...introduced,
    name: `${introduced.name}, found through a tracker`,
    options: { ...introduced.options, tracked: true },
  };
}

export const http: Contestant = {
  name: "HTTP (nginx, curl)",
  program: onThisRuntime("web-agent.ts"),
  options: {},
  missing() {
    const missing = ["nginx", "curl"].filter((tool) =>
      spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0
    );
    return missing.length > 0 ? `${missing.join(" and ")} not installed` : undefined;
  },
};

export const kubo: Contestant = {
  name: "Kubo 0.43",
  program: onThisRuntime("kubo-agent.ts"),
  options: {},
  missing: kuboAvailable,
};

/** Every way in which it might do best: which one that is depends on the content and on the lines. */
export const libtorrents: Contestant[] = [
  { way: "as shipped", tuning: {} },
  { way: "tuned", tuning: { tuned: true } },
  { way: "super-seeding", tuning: { superseed: true } },
].flatMap(({ way, tuning }) =>
  [64, 256].map((kib): Contestant => ({
    name: `libtorrent ${way}, ${kib} KiB`,
    program: [PYTHON, beside("torrent-agent.py")],
    options: { ...tuning, piece: kib * KIB },
    missing: libtorrentMissing,
  }))
);

/** The same number of bytes, between the same agents, and no protocol. */
export const bareStreams: Contestant = {
  name: "bare libp2p streams",
  program: onThisRuntime("bare-agent.ts"),
  options: { unchecked: true },
  missing: () => undefined,
};

/** The agent of a kind of hostile reader; it finds its victims as any reader does. */
export function hostile(kind: Hostile): Contestant {
  const file = `hostile-${kind}.ts`;
  return {
    name: kind,
    program: onThisRuntime(file),
    options: { kind },
    missing: () => existsSync(beside(file)) ? undefined : `there is no ${kind} yet`,
  };
}

function onThisRuntime(file: string): [string, ...string[]] {
  const run = process.versions.deno ? ["run", "-A", "--quiet"] : [];
  return [process.execPath, ...run, beside(file)];
}

function beside(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

let libtorrentSaid: string | false | undefined;
function libtorrentMissing(): string | undefined {
  libtorrentSaid ??= spawnSync(PYTHON, ["-c", "import libtorrent"]).status === 0
    ? false
    : "no libtorrent (Debian package python3-libtorrent)";
  return libtorrentSaid || undefined;
}
