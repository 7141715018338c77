/** `nethood follow`: a site is kept whole, always in its newest version, and given to others; or what is followed is shown. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { askNode } from "../control.ts";
import { defaultDir } from "../dir.ts";
import { NethoodError } from "../errors.ts";
import { size } from "../size.ts";
import { utc } from "../time.ts";
import { tellFollowing } from "./follow-texts.ts";
import { openGateway, type Run, serveUntilEnd, start } from "./run.ts";

export const follow: Run = async (settings, around, teller) => {
  const { argument: name, keep, stop } = settings;
  if (name === undefined && (stop || keep !== undefined)) {
    throw new NethoodError("BAD_OPTION", "follow needs the name of a site.", {
      hint: `For example: ${around.run} follow docs.example.org --keep 5`,
    });
  }
  if (name === undefined) return await list(settings, around, teller);
  const { signal } = around;
  const dir = settings.dir ?? defaultDir(around.env);
  const method = stop ? "follow.stop" : "follow.start";
  const answer = await askNode(dir, { method, params: { name, keep } }, { signal });
  if (stop) {
    const { site, followed } = (answer?.result ?? await stopAlone(name, dir)) as Stopped;
    const text = followed
      ? `${site} is followed no longer. What is here of it stays.`
      : `${site} was not followed.`;
    return teller.tell("follow:stop", { site, followed }, text);
  }
  if (answer !== undefined) {
    const { site, keep } = answer.result as { site: string; keep: number };
    const text = `The node that runs on ${dir} follows ${site} from now on${versionsText(keep)}.`;
    return teller.tell("follow:start", { site, keep, running: true }, text);
  }
  await using node = await start(settings, around, teller);
  await using server = await openGateway(node, settings, teller);
  const told = new AbortController();
  tellFollowing(node, teller, told.signal);
  const following = await node.follower.follow(name, { keep });
  teller.tell(
    "follow:start",
    { site: following.site, keep: following.keep, running: false },
    `${following.site} is followed from now on${versionsText(following.keep)}.`,
  );
  told.abort();
  await serveUntilEnd(node, server, around, teller);
};

interface Stopped {
  site: string;
  followed: boolean;
}

/** As `follow.list` tells it. */
export interface FollowedRow {
  site: string;
  version?: number | undefined;
  behind: number;
  cid?: string | undefined;
  bytes?: number | undefined;
  taken?: number | undefined;
  /** Bytes given to others since the node started; undefined where none runs. */
  given?: number | undefined;
  keep: number;
  since: number;
}

const list: Run = async (settings, around, teller) => {
  const dir = settings.dir ?? defaultDir(around.env);
  const { signal } = around;
  const answer = await askNode(dir, { method: "follow.list", params: {} }, { signal });
  const sites = (answer?.result ?? await listAlone(dir)) as FollowedRow[];
  const text = sites.length > 0
    ? table(sites)
    : `No site is followed. Follow one with: ${around.run} follow docs.example.org`;
  teller.tell("follow:list", { sites }, text);
};

function table(sites: FollowedRow[]): string {
  const rows = [
    ["Site", "Version", "Behind by", "Size", "Given to others", "Here since"],
    ...sites.map(({ site, version, behind, bytes, given, taken }) => [
      site,
      version === undefined ? (bytes === undefined ? "none yet" : "-") : String(version),
      behind === 0 ? "-" : String(behind),
      bytes === undefined ? "-" : size(bytes),
      given === undefined ? "-" : size(given),
      taken === undefined ? "-" : utc(taken),
    ]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}

/** From the records, where no node runs that would know more. */
async function listAlone(dir: string): Promise<FollowedRow[]> {
  return await withFollows(dir, async (follows) => {
    const { describe } = await import("../follower.ts");
    return follows.all().map((follow) => describe(follow, follows.held(follow.site)));
  }) ?? [];
}

async function stopAlone(name: string, dir: string): Promise<Stopped> {
  const { siteOf } = await import("../follower.ts");
  const site = siteOf(name);
  return await withFollows(dir, (follows) => {
    const followed = follows.get(site) !== undefined;
    follows.remove(site);
    return Promise.resolve({ site, followed });
  }) ?? { site, followed: false };
}

/** Undefined where there is no node's folder. */
async function withFollows<T>(
  dir: string,
  work: (follows: import("../store/follows.ts").Follows) => Promise<T>,
): Promise<T | undefined> {
  if (!existsSync(join(dir, "nethood.sqlite"))) return undefined;
  const { Records } = await import("../store/records.ts");
  const { createFollows } = await import("../store/follows.ts");
  const records = new Records(dir);
  try {
    return await work(createFollows(records));
  } finally {
    records.close();
  }
}

function versionsText(keep: number): string {
  return keep > 1 ? `, and its last ${keep} versions stay` : "";
}
