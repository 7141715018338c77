/** Byte ranges (RFC 9110, section 14). */
import type { Context } from "hono";
import type { Range } from "../src/content/file.ts";
import { failureResponse } from "./error.ts";

/** Most ranges that are answered in one response. Who wants more gets the whole, which is less work than so many parts. */
const MAX_RANGES = 10;

/**
 * The ranges a request wants, in its own order. `undefined`: send the whole (no header, another unit, nonsense, too many or such
 * as overlap, all of which a server may ignore). `"unsatisfiable"`: all of them begin past the end, which is a 416.
 */
export function parseRanges(
  header: string | null | undefined,
  size: number,
): Range[] | "unsatisfiable" | undefined {
  const set = /^bytes\s*=(.*)$/i.exec(header ?? "")?.[1];
  // Empty elements of a list count for nothing (section 5.6.1).
  const specs = set?.split(",").map((spec) => spec.trim()).filter((spec) => spec !== "") ?? [];
  if (specs.length === 0 || specs.length > MAX_RANGES) return undefined;
  const ranges: Range[] = [];
  for (const spec of specs) {
    const range = parseSpec(spec, size);
    if (range === undefined) return undefined;
    if (range !== "unsatisfiable") ranges.push(range);
  }
  if (ranges.length === 0) return "unsatisfiable";
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  return sorted.some(({ end }, i) => end > (sorted[i + 1]?.start ?? Infinity)) ? undefined : ranges;
}

/** The same for an answer of one piece: where several are wanted, it is the whole. */
export function parseRange(
  header: string | null | undefined,
  size: number,
): Range | "unsatisfiable" | undefined {
  const ranges = parseRanges(header, size);
  if (!Array.isArray(ranges)) return ranges;
  return ranges.length === 1 ? ranges[0] : undefined;
}

/** The answer to who wants only what is past the end. @param headers of the whole */
export function rangeFailure(c: Context, size: number, headers: Headers): Promise<Response> {
  headers.set("Content-Range", `bytes */${size}`);
  headers.set("Cache-Control", "no-store");
  headers.delete("Content-Disposition");
  const message = `This has ${size} bytes, and the range begins past its end.`;
  const hint = "Ask for a range within it, or for the whole.";
  return failureResponse(c, { status: 416, message, hint }, headers);
}

function parseSpec(spec: string, size: number): Range | "unsatisfiable" | undefined {
  const parts = /^(\d*)\s*-\s*(\d*)$/.exec(spec);
  if (parts === null) return undefined;
  const [first, last] = [parts[1]!, parts[2]!];
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const count = Math.min(Number(last), size);
    return count === 0 ? "unsatisfiable" : { start: size - count, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}
