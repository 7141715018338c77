/** Lists of records as JSON, or as a line each (NDJSON) for clients that ask for it by name. */
import type { Context } from "hono";
import { line } from "../reply.ts";
import { filterRecords, type PeerRecord } from "./filter.ts";

const JSON_TYPE = "application/json", LINES_TYPE = "application/x-ndjson";

/** How long an answer holds, in seconds: who has nothing may have it soon (http-routing-v1, "Response Headers"). */
const HOLDS_S = 300, NOTHING_HOLDS_S = 15;

/** How long an answer that is over may still be used while there is no better one, in seconds: the specification's two days. */
export const STALE_S = 172_800;

/** Records in one answer, most (http-routing-v1: "SHOULD be limited to 100"). */
const MAX_RECORDS = 100;

/** @param shared whether others may be given the same answer */
export function recordsResponse(
  c: Context,
  what: "Providers" | "Peers",
  found: PeerRecord[] | string[],
  shared: boolean,
): Response {
  const accept = c.req.header("accept") ?? "*/*";
  const json = quality(accept, JSON_TYPE, "application/*", "*/*");
  const lines = quality(accept, LINES_TYPE);
  if (json === 0 && lines === 0) {
    return line(`Ask for ${JSON_TYPE} or ${LINES_TYPE} with the header Accept.`, 406);
  }
  const records = texts(found, c.req.query("filter-addrs"), c.req.query("filter-protocols"));
  const stream = lines > 0 && lines >= json;
  const text = stream
    ? records.map((record) => `${record}\n`).join("")
    : `{"${what}":[${records.join(",")}]}`;
  const holds = records.length > 0 ? HOLDS_S : NOTHING_HOLDS_S;
  return new Response(text, {
    headers: {
      "Content-Type": stream ? LINES_TYPE : JSON_TYPE,
      "Cache-Control": cacheControl(holds, STALE_S, shared),
      "Last-Modified": new Date().toUTCString(),
      // A page and a program are not told the same.
      Vary: "Accept, Origin, Sec-Fetch-Site",
    },
  });
}

/** The records that are wanted, as JSON; those that are JSON already are read only where a filter is to look at them. */
function texts(
  found: PeerRecord[] | string[],
  addrs: string | undefined,
  protocols: string | undefined,
): string[] {
  if (addrs === undefined && protocols === undefined) {
    return found.slice(0, MAX_RECORDS).map((record) =>
      typeof record === "string" ? record : JSON.stringify(record)
    );
  }
  const records = found.map((record) => typeof record === "string" ? JSON.parse(record) : record);
  return filterRecords(records, { addrs, protocols }).slice(0, MAX_RECORDS)
    .map((record) => JSON.stringify(record));
}

export function cacheControl(seconds: number, stale: number, shared = true): string {
  return `${shared ? "public" : "private"}, max-age=${seconds}, ` +
    `stale-while-revalidate=${stale}, stale-if-error=${stale}`;
}

/** How much a client wants one of these types, the best match first, from 0 to 1 (RFC 9110, "Accept"). */
export function quality(accept: string, ...types: string[]): number {
  const wishes = new Map(
    accept.toLowerCase().split(",").map((wish) => {
      const [type = "", ...parameters] = wish.split(";").map((part) => part.trim());
      const q = parameters.find((parameter) => /^q\s*=/.test(parameter))?.split("=")[1];
      return [type, q === undefined ? 1 : Number(q) || 0];
    }),
  );
  const type = types.find((type) => wishes.has(type));
  return type === undefined ? 0 : wishes.get(type)!;
}
