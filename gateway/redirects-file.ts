/**
 * The file `_redirects` of a site, read and applied to a path.
 * Source: https://specs.ipfs.tech/http-gateways/web-redirects-file/
 */
import { NethoodError } from "../src/errors.ts";

/** Largest file that is read, in bytes (specification: "Max File Size"). */
export const MAX_FILE: number = 64 * 1024;

/** 200 shows another file of the site under the address that was asked for; so do those from 400 on, as an error. */
const STATUSES = [200, 301, 302, 303, 307, 308, 404, 410, 451] as const;

export type RuleStatus = typeof STATUSES[number];

export interface Rule {
  /** Decoded segments of the path that it matches; one that begins with a colon stands for any. */
  from: string[];
  /** Whether `from` ended with an asterisk: then its last segment is how the rest begins, often "". */
  splat: boolean;
  /** A path of the site or a URL, with the placeholders still in it. */
  to: string;
  status: RuleStatus;
}

/** @throws {NethoodError} BAD_REDIRECTS, which names the line */
export function parseRedirects(bytes: Uint8Array): Rule[] {
  if (bytes.byteLength > MAX_FILE) throw unusable("redirects file size cannot exceed 64 KiB");
  const rules: Rule[] = [];
  for (const [index, text] of new TextDecoder().decode(bytes).split(/\r?\n/).entries()) {
    const line = text.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      rules.push(parseRule(line.split(/\s+/)));
    } catch (cause) {
      if (!(cause instanceof RuleError)) throw cause;
      throw unusable(`line ${index + 1} ${cause.message}`, cause);
    }
  }
  return rules;
}

/** The first rule that matches a path, and where it leads: percent-encoded, whatever the path had in it. */
export function matchRedirect(
  rules: readonly Rule[],
  path: readonly string[],
): { to: string; status: RuleStatus } | undefined {
  for (const { from, splat, to, status } of rules) {
    const found = match(from, splat, path);
    // A path that begins with two slashes would be another host.
    if (found) return { to: fill(to, found).replace(/^\/{2,}/, "/"), status };
  }
  return undefined;
}

/** Why the file `_redirects` is of no use. @param why such as `line 3 has the status "301!"` */
export function unusable(why: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_REDIRECTS", `This node could not parse _redirects: ${why}.`, {
    cause,
    hint: "Whoever publishes the site has to mend this file in its first folder.",
  });
}

class RuleError extends Error {}

function parseRule(fields: string[]): Rule {
  const [from = "", to, code = "301", ...rest] = fields;
  if (to === undefined) throw new RuleError("does not say where its path leads");
  if (rest.length > 0) throw new RuleError('is not of the form "from to [status]"');
  const status = STATUSES.find((known) => String(known) === code);
  if (status === undefined) {
    throw new RuleError(
      `has the status "${shorten(code)}", which is none of ${STATUSES.join(", ")}`,
    );
  }
  return { ...parseFrom(from), to: parseTo(to), status };
}

function parseFrom(from: string): Pick<Rule, "from" | "splat"> {
  if (!from.startsWith("/")) {
    throw new RuleError("begins with no path: it has to start with a slash");
  }
  const splat = from.endsWith("*");
  const path = splat ? from.slice(0, -1) : from;
  if (path.includes("*")) throw new RuleError("has an asterisk that is not the end of its path");
  const segments = path.split("/").slice(1);
  if (!splat && segments.at(-1) === "") segments.pop();
  const names = segments.filter((segment) => segment.startsWith(":"));
  if (splat) names.push(":splat");
  const odd = names.find((name) => !/^:[\w-]+$/.test(name));
  if (odd !== undefined) throw new RuleError(`has "${shorten(odd)}", which names no placeholder`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new RuleError(`has the placeholder "${shorten(twice)}" twice`);
  return { from: segments.map(decode), splat };
}

/** A redirect may lead anywhere on the web, but not to a script, nor to a host that looks like a path. */
function parseTo(to: string): string {
  if (/^\/(?![/\\])/.test(to)) {
    const segments = to.replace(/[?#].*/, "").split("/").map(decode);
    if (!segments.some((segment) => /^\.\.?$|\0/.test(segment))) return to;
  }
  if (/^https?:\/\//i.test(to) && URL.canParse(to.replaceAll(":splat", ""))) return to;
  throw new RuleError(`leads to "${shorten(to)}", which is neither a path nor a URL of the web`);
}

/** What the placeholders stand for in a path, or undefined where the rule does not match it. */
function match(
  from: readonly string[],
  splat: boolean,
  path: readonly string[],
): Map<string, string> | undefined {
  if (splat ? path.length < from.length : path.length !== from.length) return undefined;
  const found = new Map<string, string>();
  const fixed = splat ? from.slice(0, -1) : from;
  for (const [i, segment] of fixed.entries()) {
    if (segment.startsWith(":")) found.set(segment, encodeURIComponent(path[i]!));
    else if (segment !== path[i]) return undefined;
  }
  if (!splat) return found;
  const [begins, [first = "", ...rest]] = [from.at(-1)!, path.slice(fixed.length)];
  if (!first.startsWith(begins)) return undefined;
  const trailing = [first.slice(begins.length), ...rest];
  return found.set(":splat", trailing.map(encodeURIComponent).join("/"));
}

/** In one pass, so that nothing that was filled in is taken for a placeholder; the longest name that fits is meant. */
function fill(to: string, found: ReadonlyMap<string, string>): string {
  if (found.size === 0) return to;
  const names = [...found.keys()].sort((a, b) => b.length - a.length);
  return to.replace(new RegExp(names.join("|"), "g"), (name) => found.get(name)!);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new RuleError(`has "${shorten(segment)}", which is not valid percent-encoding`);
  }
}

/** A stranger's text, in a sentence. */
function shorten(text: string): string {
  return text.replace(/\p{Cc}/gu, "\uFFFD").slice(0, 80);
}
