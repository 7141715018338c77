/** In which form an answer is wanted: `?format=` says it, else `Accept` (path-gateway specification, IPIP-0523). */
import { NethoodError } from "../../src/errors.ts";

/** Each form, and its media type. */
export const MEDIA_TYPES = {
  raw: "application/vnd.ipld.raw",
  car: "application/vnd.ipld.car",
  tar: "application/x-tar",
  json: "application/json",
  cbor: "application/cbor",
  "dag-json": "application/vnd.ipld.dag-json",
  "dag-cbor": "application/vnd.ipld.dag-cbor",
  "ipns-record": "application/vnd.ipfs.ipns-record",
} as const;

export type Format = keyof typeof MEDIA_TYPES;

export interface Wanted {
  /** `html` where a page is preferred. */
  format: Format | "html";
  /** The parameters of the media type that `Accept` names for it, in lower case. */
  parameters: Record<string, string>;
  /** Whether `Accept` decided. */
  byAccept: boolean;
  /** Whether anything else will do as well. */
  optional: boolean;
}

/** @throws {NethoodError} BAD_OPTION for a form that does not exist */
export function negotiate(query: URLSearchParams, accept: string | undefined): Wanted | undefined {
  const ranges = parseAccept(accept ?? "");
  const asked = query.get("format");
  if (asked !== null) {
    if (!Object.hasOwn(MEDIA_TYPES, asked)) {
      throw new NethoodError("BAD_OPTION", `There is no format "${asked.slice(0, 40)}" here.`, {
        hint: `Formats are ${Object.keys(MEDIA_TYPES).join(", ")}.`,
      });
    }
    const format = asked as Format;
    const { parameters = {} } = ranges.find(({ type }) => type === MEDIA_TYPES[format]) ?? {};
    return { format, parameters, byAccept: false, optional: false };
  }
  const known = ranges.flatMap(({ type, ...rest }) => {
    const format = FORMATS.get(type);
    return format === undefined ? [] : [{ format, ...rest }];
  });
  const anything = ranges.find(({ type }) => type === "*/*");
  // Stable: of equals the first counts. What is named counts before what is only not excluded.
  const best = known.sort((a, b) => b.q - a.q)[0];
  if (best === undefined || anything && anything.q > best.q) return undefined;
  const { format, parameters } = best;
  return { format, parameters, byAccept: true, optional: anything !== undefined };
}

/** Whether nobody else is to be asked (RFC 9111, section 5.2.1.7). */
export function onlyIfCached(cacheControl: string | undefined): boolean {
  return /(?:^|,)\s*only-if-cached\s*(?:,|$)/i.test(cacheControl ?? "");
}

const FORMATS = new Map<string, Wanted["format"]>([
  ["text/html", "html"],
  ...Object.entries(MEDIA_TYPES).map(([format, type]) => [type, format as Format] as const),
]);

interface MediaRange {
  type: string;
  q: number;
  parameters: Record<string, string>;
}

/** The media ranges that are not excluded (RFC 9110, section 12.5.1). */
function parseAccept(accept: string): MediaRange[] {
  return accept.toLowerCase().split(",").map((range) => {
    const [type = "", ...rest] = range.split(";").map((part) => part.trim());
    const { q = "1", ...parameters } = Object.fromEntries(
      rest.map((part) => part.split(/\s*=\s*"?([^"]*)"?/, 2) as [string, string]),
    );
    return { type, q: Number(q), parameters };
  }).filter(({ q }) => q > 0);
}
