/** Byte ranges (RFC 9110, section 14). */
import type { Range } from "../src/content/file.ts";

/**
 * The one range a request wants. `undefined`: send the whole (no header, another unit, several ranges, or nonsense, all of which
 * a server may ignore). `"unsatisfiable"`: it begins past the end, which is a 416.
 */
export function parseRange(
  header: string | null | undefined,
  size: number,
): Range | "unsatisfiable" | undefined {
  const spec = /^bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (spec === null) return undefined;
  const [first, last] = [spec[1]!, spec[2]!];
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
