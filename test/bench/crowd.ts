/** A flash crowd on one machine, measured: `deno task bench:crowd --help`. */
import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { labAvailable } from "../helpers/lab.ts";
import { printRuns } from "./crowd/report.ts";
import { type RowOptions, ROWS } from "./crowd/rows.ts";
import { createSession } from "./crowd/session.ts";
import { print, type Row, say } from "./table.ts";

const HELP =
  `A flash crowd: one seeder and its readers, each behind a line of its own, on this machine.

  deno task bench:crowd [ROW...] [OPTION...]

Each row prints the last reader's time as a multiple of the least possible, and as a multiple of others' under the same
conditions. Without a ROW all are measured. Needs root and iproute2; a C compiler for delays; and, of the others,
those that are there: python3-libtorrent, nginx and curl (Debian packages), Kubo or Go to build it with.

OPTIONS
  --reps N    runs of each, of which the median counts (default 3)
  --n N       readers (default 8)
  --mib N     size of the file (default: the row's own); smaller ones are for trying it out
  --chunk N   KiB of a block of our seeding, as seed --chunk has it (default 64; between two nodes that of seed)
  --who WORD  only those whose names it is in, as a regular expression (default: all); "nethood" for ours alone
  --list      names the rows
  --help      this
`;

function complain(sentence: string): never {
  say(sentence);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        reps: { type: "string", default: "3" },
        n: { type: "string", default: "8" },
        mib: { type: "string" },
        chunk: { type: "string" },
        who: { type: "string", default: "" },
        list: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    complain(`${(error as Error).message}. --help shows what can be asked for.`);
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  return value > 0 && value < Infinity ? value : complain(`--${name} is a number above 0.`);
}

const { values, positionals } = options();
if (values.help) {
  console.log(HELP);
  process.exit();
}
if (values.list) {
  for (const [name, { what }] of Object.entries(ROWS)) console.log(`${name.padEnd(8)} ${what}`);
  process.exit();
}
const unknown = positionals.filter((name) => !(name in ROWS));
if (unknown.length > 0) {
  complain(`There is no row ${unknown.join(", ")}. --list names those there are.`);
}
const chosen: RowOptions = {
  reps: Math.ceil(positive("reps", values.reps)),
  readers: Math.ceil(positive("n", values.n)),
  mib: values.mib === undefined ? undefined : positive("mib", values.mib),
  chunk: values.chunk === undefined ? undefined : positive("chunk", values.chunk) * 1024,
};
const missing = labAvailable({ delay: true, rates: true });
if (missing !== undefined) complain(`A crowd cannot be measured here: ${missing}.`);

// Everything that is written, by the agents too, is in here.
const workspace = mkdtempSync(join(tmpdir(), "nethood-crowd-"));
process.env.TMPDIR = workspace;
// An exit, unlike the signal itself, gives the helpers the chance to clear away what they started.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => leave(128 + constants.signals[signal]));
}

const session = createSession({ ...chosen, who: new RegExp(values.who, "i") });
const rows: Row[] = [];
let failed = 0;
for (const name of positionals.length > 0 ? positionals : Object.keys(ROWS)) {
  try {
    rows.push(...await ROWS[name]!.measure(session, chosen));
  } catch (error) {
    // The other rows are worth as much without this one.
    say(`${name}: ${error}`);
    failed++;
  }
}
print(rows);
if (session.runs.length > 0) printRuns(session.runs);
leave(failed > 0 ? 1 : 0);

/** Ends; the last thing that happens is that the workspace goes, when nobody is left who writes into it. */
function leave(code: number): never {
  const remove = () => rmSync(workspace, { recursive: true, force: true, maxRetries: 5 });
  process.on("exit", remove);
  process.exit(code);
}
