/**
 * An authoritative DNS server: Debian's Knot, with one zone that holds a test's records.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { addFiles, createFolder } from "./folder.ts";
import { freePort } from "./port.ts";
import { type Child, type Host, localhost } from "./process.ts";

/** A key that may change texts of the zone, or one that is known and may not. */
export interface KnotKey {
  name: string;
  algorithm: string;
  /** Base64. */
  secret: string;
  mayUpdate: boolean;
}

/** How long the server may take to load its zone, in milliseconds. */
const READY_MS = 10_000;

export interface KnotOptions {
  /** Where it runs. Default: this machine, on loopback. */
  host?: Host;
  /** Default: 53 on a lab host, a free high port on loopback. */
  port?: number;
  /** Default `example.org`. */
  zone?: string;
  /** Lines of a zone file, as a person would paste them there. */
  records: string[];
  /** Keys for updates. Default: none. */
  keys?: KnotKey[];
  /** Whether it signs its zone (DNSSEC). Default: false. */
  signed?: boolean;
}

export interface Knot extends AsyncDisposable {
  /** `address:port`, as the node's `--dns` takes it. */
  readonly server: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Why Knot can't run here, or `undefined` if it can. */
export function knotAvailable(): string | undefined {
  if (spawnSync("knotd", ["-V"]).error) return "there is no `knotd` (Debian package knot)";
}

/** Starts a server that has loaded its zone and answers. */
export async function createKnot(options: KnotOptions): Promise<Knot> {
  const { host = localhost, zone = "example.org", records } = options;
  const port = options.port ?? (host === localhost ? await freePort() : 53);
  const folder = await createFolder({ "run/": "", "zone": zoneFile(zone, records) });
  const dir = folder.path;
  let child: Child | undefined;
  const stop = async () => {
    await child?.stop();
    await folder[Symbol.asyncDispose]();
  };
  try {
    await addFiles(dir, { "knot.conf": config(dir, `${host.address}@${port}`, zone, options) });
    child = host.spawn("knotd", ["-c", join(dir, "knot.conf")]);
    await loaded(child, zone);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    server: `${host.address}:${port}`,
    port,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** It says so in its log; asking it over and over would be a guess at when to give up. */
async function loaded(child: Child, zone: string) {
  const give = Date.now() + READY_MS;
  let ended = false;
  child.exit.then(() => ended = true, () => ended = true);
  // "server started" may come before the zone is there, and the other way round
  while (!(child.log.includes(`[${zone}.] loaded`) && child.log.includes("server started"))) {
    if (ended || Date.now() > give) throw new Error(`knotd did not start:\n${child.log}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function config(
  dir: string,
  listen: string,
  zone: string,
  { keys = [], signed = false }: KnotOptions,
): string {
  const may = keys.filter(({ mayUpdate }) => mayUpdate).map(({ name }) => name);
  return [
    "server:",
    `  rundir: "${dir}/run"`,
    `  listen: "${listen}"`,
    "database:",
    `  storage: "${dir}"`,
    "log:",
    "  - target: stderr",
    "    any: info",
    ...(keys.length > 0 ? ["key:"] : []),
    ...keys.flatMap(({ name, algorithm, secret }) => [
      `  - id: "${name}"`,
      `    algorithm: ${algorithm}`,
      `    secret: ${secret}`,
    ]),
    ...(may.length > 0
      ? [
        "acl:",
        "  - id: update",
        `    key: [${may}]`,
        "    action: update",
        "    update-type: TXT",
      ]
      : []),
    "zone:",
    `  - domain: "${zone}"`,
    `    file: "${dir}/zone"`,
    "    zonefile-load: whole",
    "    journal-content: none",
    ...(may.length > 0 ? ["    acl: update"] : []),
    ...(signed ? ["    dnssec-signing: on"] : []),
    "",
  ].join("\n");
}

function zoneFile(zone: string, records: string[]): string {
  return [
    `$ORIGIN ${zone}.`,
    "@ 60 IN SOA ns hostmaster 1 3600 600 86400 60",
    "@ 60 IN NS ns",
    "ns 60 IN A 127.0.0.1",
    ...records,
    "",
  ].join("\n");
}
