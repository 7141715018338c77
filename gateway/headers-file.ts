/**
 * The file `_headers` of a site: header fields that its publisher adds to its pages, read and matched to a path.
 * Syntax: https://docs.netlify.com/manage/routing/headers/ (a path, and below it, indented, one field a line).
 *
 * A line that cannot be used is left out and told of, and the others count: pages without any of their rules would be less safe.
 */
import { excerpt } from "../src/printable.ts";
import { fieldOf, merge } from "./headers-allowed.ts";

/** Largest file that is read, in bytes: that of `_redirects`. */
export const MAX_HEADERS_FILE: number = 64 * 1024;

/** Lines of a file that are told of, most. */
const MAX_TOLD = 5;

/** Most bytes that one answer gets of them: proxies in between have room for 8 KiB in all, ours included. */
const MAX_ADDED = 6 * 1024;

/** Fields that a path gets. */
export interface HeaderRule {
  /** Segments of a path: one that begins with a colon stands for any, and one may have an asterisk, which stands for anything. */
  path: string[];
  /** Names in lower case, with values that are fit for a header. */
  fields: [name: string, value: string][];
}

export interface HeadersFile {
  rules: HeaderRule[];
  /** What was left out and why, such as `line 3: …`. */
  problems: string[];
}

/** Reads a file; one above {@link MAX_HEADERS_FILE} bytes counts for nothing. */
export function parseHeaders(bytes: Uint8Array): HeadersFile {
  const file: HeadersFile = { rules: [], problems: [] };
  if (bytes.byteLength > MAX_HEADERS_FILE) {
    file.problems.push(`it is larger than ${MAX_HEADERS_FILE / 1024} KiB`);
    return file;
  }
  /** Where the next fields belong; null below a path that cannot be used, whose fields are left out with it. */
  let rule: HeaderRule | null | undefined;
  for (const [index, text] of new TextDecoder().decode(bytes).split(/\r?\n/).entries()) {
    const line = text.trim();
    if (line === "" || line.startsWith("#")) continue;
    try {
      if (line.startsWith("/")) {
        rule = null;
        rule = { path: parsePath(line), fields: [] };
        file.rules.push(rule);
      } else if (/^https?:\/\//i.test(line)) {
        rule = null;
        throw new LineError("begins with a host: paths of this site begin with a slash");
      } else if (rule === undefined) throw new LineError("is no path, and stands below none");
      else {
        const field = parseField(line);
        if (field.value !== "") rule?.fields.push([field.name, field.value]);
      }
    } catch (cause) {
      if (!(cause instanceof LineError)) throw cause;
      file.problems.push(`line ${index + 1} ${cause.message}`);
    }
  }
  file.rules = file.rules.filter(({ fields }) => fields.length > 0);
  return file;
}

/** What was left out, in sentences; of many some. @param name how the file is called where they are told */
export function headersProblems(name: string, { problems }: HeadersFile): string[] {
  const told = problems.slice(0, MAX_TOLD).map((problem) => `${name} is not followed: ${problem}.`);
  const more = problems.length - told.length;
  return more > 0 ? [...told, `${name} has ${more} more lines that are not followed.`] : told;
}

/**
 * The fields of a path, from all rules that match it: where several say something of one field, all of it counts; of those that
 * can be said but once the last.
 *
 * @param path decoded segments, the last one "" where the address ends with a slash
 */
export function matchHeaders(rules: readonly HeaderRule[], path: readonly string[]): Headers {
  const found = new Map<string, string>();
  let room = MAX_ADDED;
  for (const rule of rules) {
    if (!matches(rule.path, path)) continue;
    for (const [name, value] of rule.fields) {
      const before = found.get(name);
      const after = merge(name, before, value);
      room -= after.length - (before?.length ?? -name.length);
      if (room < 0) return new Headers([...found]);
      found.set(name, after);
    }
  }
  return new Headers([...found]);
}

class LineError extends Error {}

function parsePath(line: string): string[] {
  if (/\s/.test(line)) throw new LineError("has more than a path: its headers go below it");
  if (line.split("*").length > 2) throw new LineError("has more than one asterisk");
  const segments = line.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  const odd = segments.find((segment) => /^:(?![\w-]+$)/.test(segment));
  if (odd !== undefined) {
    throw new LineError(`has "${excerpt(odd, 80)}", which names no placeholder`);
  }
  return segments.map(decode);
}

/** A value of "" is that of a field of which nothing is left to send. */
function parseField(line: string): { name: string; value: string } {
  const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
  if (name === undefined || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new LineError(`is no header of the form "Name: value"`);
  }
  const field = fieldOf(name.toLowerCase(), value!);
  if (typeof field === "string") {
    throw new LineError(`has the header ${excerpt(name, 80)}, ${field}`);
  }
  return { name: name.toLowerCase(), value: field.value };
}

/** Whether a path is of the form of a rule's; each step is about one segment, so that no rule is slow. */
function matches(rule: readonly string[], path: readonly string[]): boolean {
  const at = rule.findIndex((segment) => segment.includes("*"));
  if (at === -1) {
    const own = path.at(-1) === "" ? path.slice(0, -1) : path;
    return rule.length === own.length && rule.every((segment, i) => fits(segment, own[i]!));
  }
  const behind = rule.length - at - 1;
  if (path.length < rule.length) return false;
  for (let i = 0; i < at; i++) if (!fits(rule[i]!, path[i]!)) return false;
  for (let i = 1; i <= behind; i++) if (!fits(rule.at(-i)!, path.at(-i)!)) return false;
  const [begins, ends] = rule[at]!.split("*") as [string, string];
  const middle = path.slice(at, path.length - behind).join("/");
  return middle.length >= begins.length + ends.length && middle.startsWith(begins) &&
    middle.endsWith(ends);
}

function fits(rule: string, segment: string): boolean {
  return rule.startsWith(":") ? segment !== "" : rule === segment;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new LineError(`has "${excerpt(segment, 80)}", which is not valid percent-encoding`);
  }
}
