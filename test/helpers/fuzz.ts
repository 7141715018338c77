/**
 * Requests that are nearly right: good ones of every kind, a few things wrong with each. Request `i` of a seed is always the
 * same, so that one that did harm can be sent again by itself.
 */
import { FORMATS, HEADERS, METHODS, NONSENSE, OTHER_METHODS, RANGES, TYPES } from "./nonsense.ts";
import { createRandom, type Random } from "./random.ts";

export interface FuzzParts {
  /** CIDs, in text. */
  cids: string[];
  /** IPNS keys, in text. */
  keys: string[];
  /** Names that have a meaning, and some that have none. */
  names: string[];
  /** Paths below a root. */
  paths: string[];
  /** Host names of the gateway, such as `gateway.example`. */
  gateways: string[];
  /** IPNS records, whole and broken. */
  records: Uint8Array<ArrayBuffer>[];
  /** Addresses of those who connect; undefined: nobody knows. */
  clients: (string | undefined)[];
}

/** A request as a server hands it on: nothing is made tidy. */
export interface FuzzRequest {
  method: string;
  /** Raw, as it came. */
  url: string;
  headers: [string, string][];
  body: Uint8Array<ArrayBuffer> | undefined;
  client: string | undefined;
}

/** Longest things that are written into a request, in characters: more rarely than all else, for they take their time. */
const FLOODS = [3_000, 15_000, 100_000];

export function createFuzz(seed: number, parts: FuzzParts): (i: number) => FuzzRequest {
  return (i) => {
    const random = createRandom(Math.imul(seed ^ 0x9e3779b9, 2 * i + 1) ^ i);
    const good = plausible(random, parts);
    for (let wrong = random.int(3); wrong > 0; wrong--) spoil(good, random);
    const { scheme, host, path, query, ...request } = good;
    // Bytes, however wrong, never become half a surrogate pair.
    return { ...request, url: `${scheme}://${host}${path}${query}`.toWellFormed() };
  };
}

interface Draft extends Omit<FuzzRequest, "url"> {
  scheme: string;
  host: string;
  path: string;
  query: string;
}

/** A request that may be good. */
function plausible(random: Random, parts: FuzzParts): Draft {
  const draft: Draft = {
    method: random.pick(METHODS),
    scheme: "http",
    host: random.pick(["127.0.0.1:7080", "localhost:7080", "[::1]:7080", "nas.lan"]),
    path: "/",
    query: "",
    headers: random.chance(0.4) ? [["accept", random.pick(TYPES)]] : [],
    body: undefined,
    client: random.pick(parts.clients),
  };
  const cid = random.pick(parts.cids), key = random.pick(parts.keys);
  const name = random.pick(parts.names);
  const path = random.chance(0.2) ? "" : random.pick(parts.paths);
  const gateway = random.pick(parts.gateways);
  if (random.chance(0.2)) draft.headers.push(["range", random.pick(RANGES)]);
  if (random.chance(0.1)) draft.headers.push(["if-none-match", `"${cid}"`]);
  if (random.chance(0.2)) draft.query = `?format=${random.pick(FORMATS)}`;
  switch (random.int(9)) {
    case 0:
      draft.path = `/ipfs/${cid}${path}`;
      break;
    case 1:
      draft.path = `/ipns/${random.pick([key, name])}${path}`;
      break;
    case 2:
      draft.host = `${cid}.ipfs.${gateway}`;
      draft.path = path || "/";
      break;
    case 3:
      draft.host = `${random.pick([key, name.replaceAll(".", "-"), name])}.ipns.${gateway}`;
      draft.path = path || "/";
      break;
    case 4: // DNSLink by Host, or a request to a proxy
      draft.host = name;
      draft.path = path || "/";
      break;
    case 5:
      draft.path = random.pick(["/ipfs/", "/ipns/"]);
      draft.query = `?uri=${random.pick(["ipfs://", "ipns://", "ipfs%3A%2F%2F", "http://", ""])}` +
        `${random.pick([cid, key, name])}${path}`;
      break;
    case 6:
      draft.path =
        `/routing/v1/${random.pick(["providers", "peers", "ipns", "dht/closest/peers"])}/` +
        random.pick([cid, key, key, name]);
      if (random.chance(0.3)) draft.query = "?filter-addrs=!tcp,unknown&filter-protocols=unknown,x";
      if (random.chance(0.4)) {
        draft.method = "PUT";
        draft.headers.push(["content-type", "application/vnd.ipfs.ipns-record"]);
        draft.body = random.pick(parts.records);
      }
      break;
    case 7:
      draft.path = random.pick(["/", "/open", "/favicon.ico", "/ipfs", "/ipns/", "/api/v0/id"]);
      if (draft.path === "/open") draft.query = `?address=${random.pick([cid, key, name])}${path}`;
      break;
    default: // the parameters of CAR files
      draft.path = `/ipfs/${cid}${path}`;
      draft.query = `?format=car&dag-scope=${random.pick(["all", "entity", "block", "x"])}` +
        `&entity-bytes=${random.pick(["0:*", "-5:*", "10:5", "x", "9999999999:", "0:1"])}` +
        `&car-dups=${random.pick(["y", "n", "?"])}&filename=${
          random.pick(["a", "%00", "ü%22", "%"])
        }`;
  }
  return draft;
}

/** One thing that is wrong with it. */
function spoil(draft: Draft, random: Random): void {
  switch (random.int(8)) {
    case 0:
    case 1:
      draft.path = `/${garble(draft.path.slice(1), random)}`;
      return;
    case 2:
      draft.query = `?${garble(draft.query.slice(1), random)}`;
      return;
    case 3:
      // Each new name is looked up: not so often.
      if (random.chance(0.4)) draft.host = garble(draft.host, random);
      return;
    case 4:
      if (random.chance(0.3)) draft.method = random.pick(OTHER_METHODS);
      if (draft.method === "PUT" && draft.body === undefined) {
        draft.body = random.bytes(random.pick([0, 1, 300, 12_000]));
      }
      return;
    case 5:
      if (random.chance(0.01)) {
        for (let n = 0; n < 500; n++) draft.headers.push([`x-${n}`, "y".repeat(200)]);
      }
      return;
    default: {
      const [name, value] = random.pick(HEADERS);
      const text = value(random);
      draft.headers.push([name, random.chance(0.2) ? inHeader(garble(text, random)) : text]);
    }
  }
}

function garble(text: string, random: Random): string {
  const at = random.int(text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  switch (random.int(7)) {
    case 0:
    case 1:
    case 2:
      return before + random.pick(NONSENSE) + after;
    case 3: // a character becomes another
      return before + String.fromCharCode(33 + random.int(94)) + after.slice(1);
    case 4: // something is left out
      return before + after.slice(random.int(12));
    case 5:
      return random.chance(0.5) ? text.toUpperCase() : text + text;
    default:
      if (random.chance(0.95)) return before + random.pick(NONSENSE).repeat(random.int(60)) + after;
      return before + "x".repeat(random.int(random.pick(FLOODS))) + after;
  }
}

/** What a server lets through in a header's value. */
function inHeader(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");
}
