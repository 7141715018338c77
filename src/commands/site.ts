/** `nethood site`: the versions of a site, what differs between two of them, and an old one again. */
import { NethoodError } from "../errors.ts";
import { excerpt } from "../printable.ts";
import { size } from "../size.ts";
import type { Counts } from "../site/diff.ts";
import { changesText, versionText } from "../texts.ts";
import { utc } from "../time.ts";
import { ask } from "./ask.ts";
import type { Run } from "./run.ts";

/** Versions shown, most. */
const SHOWN = 100;

/** A version whose time is further ahead of this clock is remarked on, in milliseconds. */
const AHEAD_MS = 60 * 60 * 1000;

/** Characters of a path that are shown. */
const MAX_PATH = 1_000;

export const site: Run = (settings, around, teller) => {
  const [verb = "", name, ...numbers] = settings.words;
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb]! : undefined;
  if (run === undefined || name === undefined || numbers.length !== run.numbers) {
    throw new NethoodError("BAD_OPTION", "site needs to be told what to do, and with which site.", {
      hint: `For example: ${around.run} site log docs.example.org, … site diff docs.example.org ` +
        "2 3, or … site rollback docs.example.org 2",
    });
  }
  return run.run(name, numbers.map(parseNumber))(settings, around, teller);
};

type Verb = { numbers: number; run(name: string, numbers: number[]): Run };

const VERBS: Record<string, Verb> = {
  log: {
    numbers: 0,
    run: (name) => async (settings, around, teller) => {
      const request = { method: "site.log", params: { name, limit: SHOWN } };
      const tell = (event: string, data: object) =>
        teller.tell(event, data, versionLine(data as Logged));
      const result = await ask(request, settings, around, teller, tell);
      const { older } = result as { older: number };
      teller.tell("site:log", { name, older }, older > 0 ? `  … and ${older} before them` : "");
    },
  },
  diff: {
    numbers: 2,
    run: (name, [from, to]) => async (settings, around, teller) => {
      const request = { method: "site.diff", params: { name, from, to } };
      const tell = (event: string, data: object) =>
        teller.tell(event, data, changeLine(data as Changed));
      const counts = await ask(request, settings, around, teller, tell) as Counts;
      teller.tell("site:diff", { name, from, to, ...counts }, `  ${changesText(counts)}`);
    },
  },
  rollback: {
    numbers: 1,
    run: (name, [number]) => async (settings, around, teller) => {
      const { note, lifetime, ttl } = settings;
      const request = { method: "site.rollback", params: { name, number, note, lifetime, ttl } };
      const result = await ask(request, settings, around, teller) as RolledBack;
      teller.tell("site:rollback", result, rollbackText(result, number!));
    },
  },
};

/** A version as `site.log` tells it. */
interface Logged {
  number: number;
  cid?: string;
  versionCid: string;
  time?: number;
  size?: number;
  note?: string;
  fork: boolean;
  beside: boolean;
}

type Changed = { kind: "added" | "changed" | "removed"; path: string; size?: number };

interface RolledBack {
  site: string;
  cid: string;
  version: number;
  unchanged: boolean;
  changes?: Counts;
}

/** What is said of it comes from whoever signed it: a line of it is no line of ours. */
function versionLine(
  { number, cid, versionCid, time, size: bytes, note = "", ...is }: Logged,
): string {
  const remarks = [
    is.beside && `a fork: another version ${number}, which does not count`,
    is.fork && !is.beside && "the one that counts, of a fork",
    time !== undefined && time - Date.now() > AHEAD_MS &&
    "its time is ahead of this machine's clock",
    cid === undefined && `nobody reachable has its block, ${versionCid}`,
  ].filter(Boolean).map((remark) => `[${remark}]`);
  const columns = [
    String(number).padStart(5),
    time === undefined ? "" : utc(time),
    (bytes === undefined ? "" : size(bytes)).padStart(10),
    cid ?? "",
    excerpt(note),
    ...remarks,
  ];
  return columns.join("  ").trimEnd();
}

function changeLine({ kind, path, size: bytes }: Changed): string {
  const sign = { added: "+", changed: "~", removed: "-" }[kind];
  const more = bytes === undefined ? "" : `  (${size(bytes)})`;
  return `  ${sign} ${excerpt(path, MAX_PATH)}${more}`;
}

function rollbackText(
  { site, cid, version, unchanged, changes }: RolledBack,
  number: number,
): string {
  if (unchanged) return `${site} is as version ${number} was already: no version was made.`;
  const told = versionText({ version: { number: version }, unchanged, changes });
  return `${site} is again as version ${number} was: version ${told}\n  ${cid}`;
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && Number.isSafeInteger(number)) return number;
  throw new NethoodError("BAD_OPTION", `"${text}" is not the number of a version.`, {
    hint: "Versions are numbered 1, 2, 3, …: site log shows them.",
  });
}
