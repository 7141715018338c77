/** Values of options, from what a person types. */
import { NethoodError } from "./errors.ts";
import { size } from "./size.ts";

/** The least rate that is no slip of the pen, in bytes a second: `--upload 2` is meant as 2M. */
const MIN_RATE = 1024;

/** What a block of a file may hold, in bytes: less costs more in links than it brings, more is more than others take. */
const MIN_CHUNK = 4 * 1024, MAX_CHUNK = 1024 * 1024;

const MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A node that runs looks once an hour whether a record is to be signed again: below this that might be too late. */
const MIN_LIFETIME = 4 * MS.h;

/** Ten years: whoever wants more has lost count of the zeros. */
const MAX_LIFETIME = 3_650 * MS.d;

/** Readers take a longer TTL for a mistake. */
const MAX_TTL = 7 * MS.d;

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

/** @returns milliseconds, of a text such as `60s`, `5m`, `12h` or `30d` */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (number !== undefined) return Math.round(Number(number) * MS[unit as keyof typeof MS]);
  throw wrong(`"${text}" is not a time.`, "Write it as 60s, 5m, 12h or 30d.");
}

/** For how long a signed record is valid. @returns milliseconds */
export function parseLifetime(text: string): number {
  const ms = parseDuration(text);
  if (ms >= MIN_LIFETIME && ms <= MAX_LIFETIME) return ms;
  throw wrong(`"${text}" is no lifetime for a record.`, "It is from 4h to 3650d.");
}

/** For how long readers may use what they know. @returns milliseconds */
export function parseTtl(text: string): number {
  const ms = parseDuration(text);
  if (ms >= 1_000 && ms <= MAX_TTL) return ms;
  throw wrong(`"${text}" is too short or too long.`, "It is from 1s to 7d.");
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

/** What a node is in the DHT. */
export function parseRole(text: string): "client" | "server" {
  if (text === "client" || text === "server") return text;
  throw wrong(`"${text}" is no role in a DHT.`, "Write server, or client.");
}

function wrong(message: string, hint: string): NethoodError {
  return new NethoodError("BAD_OPTION", message, { hint });
}

/** A whole number of things, from 1. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,6}$/.test(text) && count >= 1) return count;
  throw wrong(`"${text}" is not a number of versions.`, "Write a whole number, from 1.");
}
