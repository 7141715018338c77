/** Where a site sends those who ask for what it does not have: its `_redirects`, read once and asked for each lost path. */
import { type Address, formatAddress, parseAddress } from "../src/content/address.ts";
import type { FileEntry } from "../src/content/read.ts";
import { isAbort } from "../src/abort.ts";
import { NethoodError } from "../src/errors.ts";
import type { Opened } from "../src/node.ts";
import type { Content } from "./content.ts";
import {
  matchRedirect,
  MAX_FILE,
  parseRedirects,
  type Rule,
  type RuleStatus,
  unusable,
} from "./redirects-file.ts";
import { ascii, type Asked } from "./request.ts";
import { readSmall } from "./small-file.ts";

/** The name of the file, in the first folder of a site. */
const FILE = "_redirects";

/** Files whose rules are remembered: sites that are read now, not all there ever were. */
const MAX_REMEMBERED = 64;

export type RedirectStatus = Extract<RuleStatus, 301 | 302 | 303 | 307 | 308>;
export type RewriteStatus = Exclude<RuleStatus, RedirectStatus>;

export type Elsewhere =
  | { kind: "redirect"; location: string; status: RedirectStatus; resolved: Opened["resolved"] }
  | { kind: "rewrite"; address: Address; status: RewriteStatus };

/** How a site is read: `local` where nobody else is to be asked. */
type Options = { signal: AbortSignal; local: boolean };

/** Tells where a path leads that is not there; undefined where the site has no word for it. */
export type Redirects = (
  address: Address,
  asked: Asked,
  options: Options,
) => Promise<Elsewhere | undefined>;

export function createRedirects(content: Content): Redirects {
  const remembered = new Map<string, Rule[]>();

  return async (address, { query }, options) => {
    const opened = await openFile(content, address, options);
    if (opened === undefined) return undefined;
    const { entry, resolved } = opened;
    const found = matchRedirect(await rulesOf(entry, options), address.path);
    if (found === undefined) return undefined;
    const { to, status } = found;
    if (isRedirect(status)) {
      return { kind: "redirect", location: mergeQuery(ascii(to), ascii(query)), status, resolved };
    }
    // What is at another site cannot be shown here.
    if (!to.startsWith("/")) return undefined;
    const { namespace, root } = address;
    const target = parseAddress(formatAddress({ namespace, root, path: [] }) + to);
    return { kind: "rewrite", address: target, status };
  };

  async function rulesOf(file: FileEntry, options: Options): Promise<Rule[]> {
    const key = String(file.cid);
    let rules = remembered.get(key);
    if (rules === undefined) {
      rules = parseRedirects(await readRules(file, options));
      if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
      remembered.set(key, rules);
    }
    return rules;
  }
}

/** Under its own address, for that is what is kept: a site is to lead on when its publisher is gone. */
async function openFile(
  content: Content,
  address: Address,
  options: Options,
): Promise<{ entry: FileEntry; resolved: Opened["resolved"] } | undefined> {
  try {
    const { entry, resolved } = await content.open({ ...address, path: [FILE] }, options);
    if (entry.kind !== "file") throw unusable("it is not a file");
    return { entry, resolved };
  } catch (error) {
    if (error instanceof NethoodError && error.code === "NOT_FOUND") return undefined;
    throw unread(error, options.signal);
  }
}

async function readRules(file: FileEntry, { signal }: Options): Promise<Uint8Array> {
  try {
    return await readSmall(file, MAX_FILE, { signal });
  } catch (error) {
    throw unread(error, signal);
  }
}

/** Errors that say enough, or that the reader asked for. */
const AS_THEY_ARE = ["BAD_REDIRECTS", "NOT_CACHED", "TIMEOUT", "STOPPED"];

/** "If there is an error reading or parsing it", the status is 500 (specification: "Error Handling"). */
function unread(error: unknown, signal: AbortSignal): unknown {
  const known = error instanceof NethoodError && !AS_THEY_ARE.includes(error.code);
  if (!known || isAbort(error, signal)) return error;
  return new NethoodError(
    "BAD_REDIRECTS",
    `This node could not read _redirects: ${error.message}`,
    {
      cause: error,
      ...(error.hint && { hint: error.hint }),
    },
  );
}

function isRedirect(status: RuleStatus): status is RedirectStatus {
  return status > 300 && status < 400;
}

/** The reader's own query comes along, and wins where a rule names the same parameter (specification: "Query Parameters"). */
function mergeQuery(to: string, query: string): string {
  const own = query.replace(/^\?/, "");
  if (own === "") return to;
  const [, base = "", fixed = "", fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(to)!;
  const names = new URLSearchParams(own);
  const kept = fixed.split("&").filter((pair) => {
    const [name] = new URLSearchParams(pair).keys();
    return name !== undefined && !names.has(name);
  });
  return `${base}?${[...kept, own].join("&")}${fragment}`;
}
