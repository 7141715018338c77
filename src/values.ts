/** Values of options, from what a person types. */
import { NethoodError } from "./errors.ts";
import { size } from "./size.ts";

/** The least rate that is no slip of the pen, in bytes a second: `--upload 2` is meant as 2M. */
const MIN_RATE = 1024;

/** What a block of a file may hold, in bytes: less costs more in links than it brings, more is more than others take. */
const MIN_CHUNK = 4 * 1024, MAX_CHUNK = 1024 * 1024;

const FACTORS = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** @throws {NethoodError} BAD_OPTION, as all of these */
export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65535) return port;
  throw wrong(`"${text}" is not a port.`, "Ports are numbers from 0 to 65535.");
}

/** @returns milliseconds */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && seconds > 0) return seconds * 1000;
  throw wrong(`"${text}" is not a number of seconds.`, "Write it as 60, or 0.5.");
}

/** @returns bytes a second */
export function parseRate(text: string): number {
  const rate = parseBytes(text);
  if (rate !== undefined && rate >= MIN_RATE) return rate;
  const why = rate === undefined ? "is not a rate" : "is too low a rate";
  const hint = "Write bytes a second as 500k or 2M; at least 1k.";
  throw wrong(`"${text}" ${why}.`, hint);
}

/** @returns bytes */
export function parseChunk(text: string): number {
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes >= MIN_CHUNK && bytes <= MAX_CHUNK) return bytes;
  const limits = `from ${size(MIN_CHUNK)} to ${size(MAX_CHUNK)}`;
  throw wrong(`"${text}" is not a size of blocks.`, `Write it as 64k, or 65536: ${limits}.`);
}

/** Bytes, as `65536`, `64k` or `1.5M`; undefined for anything else. */
function parseBytes(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kmg]?)$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bytes = Number(number) * FACTORS[unit!.toLowerCase() as keyof typeof FACTORS];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function wrong(message: string, hint: string): NethoodError {
  return new NethoodError("BAD_OPTION", message, { hint });
}
