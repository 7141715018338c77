/** The rows of the table, each a question of its own. */
import type { Row } from "../table.ts";
import { type Conditions, describe, HOSTILE } from "./conditions.ts";
import { bareStreams, hostile, http, kubo, libtorrents, nethood, tracked } from "./contestants.ts";
import { measurePair } from "./pair.ts";
import { factor, last, ratioOf } from "./report.ts";
import type { Run } from "./run.ts";
import type { Entrant, Session } from "./session.ts";

export interface RowOptions {
  reps: number;
  readers: number;
  /** Size of the file, where it is to be another than the row's own. */
  mib: number | undefined;
  /** Bytes of a chunk of our seeding; undefined for small ones in a crowd, and `seed`'s own between two. */
  chunk: number | undefined;
}

export type Measure = (session: Session, options: RowOptions) => Promise<Row[]>;

/** What README tells who publishes for a crowd, in bytes. */
const SMALL = 64 * 1024;

/** Thin lines, where the processor is not the limit: a home's uplink, and a file of 8 MiB. */
const thin = ({ readers, mib = 8 }: RowOptions): Conditions => ({
  readers,
  wanted: { mib },
  rates: { up: 5e6, down: 25e6 },
  delayMs: 10,
});

const fast = ({ readers, mib = 16 }: RowOptions): Conditions => ({
  readers,
  wanted: { mib },
  rates: { up: 20e6, down: 100e6 },
});

const site = (options: RowOptions): Conditions => ({
  ...thin(options),
  wanted: "site",
  delayMs: 0,
});

/** By the word that picks them. */
export const ROWS: Record<string, { what: string; measure: Measure }> = {
  thin: {
    what: "8 MiB over 5/25 Mbit/s and 10 ms, ÷ libtorrent's best, Kubo, HTTP",
    measure: (session, options) =>
      against(session, options, thin(options), [libtorrents, kubo, http]),
  },
  fast: {
    what: "16 MiB over 20/100 Mbit/s, ÷ the same",
    measure: (session, options) =>
      against(session, options, fast(options), [libtorrents, kubo, http]),
  },
  site: {
    what: "a site of 60 files and 2.4 MB over 5/25 Mbit/s, ÷ the same",
    measure: (session, options) =>
      against(session, options, site(options), [libtorrents, kubo, http]),
  },
  tracked: {
    what: "as thin; found through a tracker alone, ÷ the same crowd introduced by hand",
    measure: async (session, options) => {
      const chunk = options.chunk ?? SMALL;
      const entrants = [tracked(chunk), nethood(chunk)];
      const [found, met] = await session.race(thin(options), entrants);
      if (!found || !met) return [];
      const what = `${describe(thin(options))}: last reader ÷ introduced by hand`;
      return [{ ...divided(found, met), what }];
    },
  },
  kill: {
    what: "as thin; the seeder's process is killed at one copy, ÷ libtorrent's best",
    measure: (session, options) =>
      against(session, options, { ...thin(options), kill: "process" }, [libtorrents]),
  },
  cable: {
    what: "as thin; the seeder's cable is pulled at one copy, ÷ libtorrent's best",
    measure: (session, options) =>
      against(session, options, { ...thin(options), kill: "cable" }, [libtorrents]),
  },
  late: {
    what: "as thin; one reader every second, ÷ libtorrent's best",
    measure: (session, options) =>
      against(session, options, { ...thin(options), staggerMs: 1_000 }, [libtorrents]),
  },
  leavers: {
    what: "as thin; a third of the readers leaves half-way, ÷ libtorrent's best",
    measure: (session, options) =>
      against(session, options, { ...thin(options), leavers: true }, [libtorrents]),
  },
  hostile: {
    what: `as thin, beside a ${HOSTILE.join(", a ")}, ÷ without`,
    measure: besideHostile,
  },
  cpu: {
    what: "as fast: CPU seconds per GiB carried, ÷ libtorrent's best, bare libp2p streams",
    measure: cpu,
  },
  pair: {
    what: "two nodes, 512 MiB, loopback, ÷ a bare libp2p stream and Kubo to Kubo",
    measure: (_, options) => measurePair(options),
  },
};

/** Ours ÷ the least possible, and ÷ each of the others. */
async function against(
  session: Session,
  { chunk = SMALL }: RowOptions,
  conditions: Conditions,
  others: Entrant[],
): Promise<Row[]> {
  const [ours, ...theirs] = await session.race(conditions, [nethood(chunk), ...others]);
  const what = `${describe(conditions)}: last reader`;
  if (ours === undefined) return [{ what, result: "–", figures: "no run" }];
  return [{
    what: `${what} ÷ the least possible`,
    result: `**${ratioOf(ours)}**`,
    figures: `${last(ours)} ÷ ${ours.least.toFixed(1)} s; the seeder sent ${
      factor(ours.seederCopies)
    } copies`,
  }, ...theirs.filter((run) => run !== undefined).map((run) => divided(ours, run))];
}

function divided(ours: Run, theirs: Run): Row {
  const both = ours.ratio !== undefined && theirs.ratio !== undefined;
  return {
    what: `the same ÷ ${theirs.contestant}`,
    result: `**${both ? factor(ours.ratio! / theirs.ratio!) : "–"}**`,
    figures: `${last(ours)} ÷ ${last(theirs)}, which is ${ratioOf(theirs)} of the least; ` +
      `its seeder sent ${factor(theirs.seederCopies)} copies`,
  };
}

async function besideHostile(session: Session, options: RowOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of HOSTILE) {
    const missing = hostile(kind).missing();
    if (missing !== undefined) {
      rows.push({ what: `beside a ${kind}`, result: "–", figures: missing });
      continue;
    }
    const [alone] = await session.race(thin(options), [nethood(options.chunk ?? SMALL)]);
    const conditions = { ...thin(options), hostile: [kind] };
    const [beside] = await session.race(conditions, [nethood(options.chunk ?? SMALL)]);
    if (alone && beside) {
      rows.push({ ...divided(beside, alone), what: `${describe(conditions)}: last ÷ without` });
    }
  }
  return rows;
}

async function cpu(session: Session, options: RowOptions): Promise<Row[]> {
  const conditions = fast(options);
  const [ours, ...theirs] = await session.race(conditions, [
    nethood(options.chunk ?? SMALL),
    libtorrents,
    bareStreams,
  ]);
  if (!ours) return [];
  const told = ({ cpuSecondsPerGiB, cpuShare }: Run) =>
    `${cpuSecondsPerGiB.toFixed(0)} s (${Math.round(cpuShare * 100)} % of the machine)`;
  return theirs.filter((run) => run !== undefined).map((run) => ({
    what: `${describe(conditions)}: CPU seconds per GiB carried ÷ ${run.contestant}`,
    result: `**${factor(ours.cpuSecondsPerGiB / run.cpuSecondsPerGiB)}**`,
    figures: `${told(ours)} ÷ ${told(run)}`,
  }));
}
