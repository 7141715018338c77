/** What a request asks for, read from its raw URL: `new URL` would resolve `..` and so hide what was really sent. */
import {
  type Address,
  fromHttp,
  isPathGateway,
  parseAddress,
  parseCid,
  toLabel,
} from "../src/content/address.ts";
import { NethoodError } from "../src/errors.ts";

/** Longest DNS label (RFC 1035, 2.3.4). */
const MAX_LABEL = 63;

/** Longest URL that is read; what browsers send stays far below. */
const MAX_URL = 16 * 1024;

/** The addresses that `localhost` stands for. */
const LOOPBACK = ["127.0.0.1", "[::1]"];

export interface Asked {
  /** The host of `Host`, or of an absolute-form URL (a proxy request): lower case, no port, no final dot. */
  name: string;
  /** Its port with the colon, or "". */
  port: string;
  /** Raw path, percent-encoding and all. */
  path: string;
  /** Raw query with its question mark, or "". */
  query: string;
}

/** Where the request wants to go. */
export type Target =
  /** This node's own pages; `localhost` is the one origin in which no site's content is ever served. */
  | { kind: "own"; host: "localhost" | "loopback" | "other" }
  /** Content, `isolated` where the site has an origin of its own. */
  | { kind: "content"; address: Address; isolated: boolean }
  /** The same content in an origin of its own. */
  | { kind: "redirect"; location: string };

/** @throws {NethoodError} BAD_ADDRESS */
export function readUrl(url: string): Asked {
  if (url.length > MAX_URL) {
    throw new NethoodError("BAD_ADDRESS", `The address is longer than ${MAX_URL} characters.`);
  }
  const parts = /^https?:\/\/([^/?#]*?)\.?(:\d*)?(?=[/?#]|$)([^?#]*)(\?[^#]*)?/i.exec(url);
  if (parts === null) throw new NethoodError("BAD_ADDRESS", "The request has no readable URL.");
  const [, name, port, path, query] = parts;
  return { name: name!.toLowerCase(), port: port ?? "", path: path || "/", query: query ?? "" };
}

/** @throws {NethoodError} BAD_ADDRESS */
export function target({ name, port, path, query }: Asked): Target {
  const long = name.split(".").find((label) => label.length > MAX_LABEL);
  if (long !== undefined) throw tooLong(long);
  const address = fromHttp(name, path);
  if (!isPathGateway(name)) {
    return { kind: "content", address: address ?? site(name, path), isolated: true };
  }
  if (address === undefined) {
    return {
      kind: "own",
      host: name === "localhost" ? name : LOOPBACK.includes(name) ? "loopback" : "other",
    };
  }
  // An IP address has no subdomains; `localhost` has, and there every site gets an origin of its own
  // (specification: subdomain-gateway, "Migrating from Path to Subdomain Gateway").
  if (name !== "localhost") return { kind: "content", address, isolated: false };
  const rest = path.split("/").slice(3).join("/");
  const origin = `http://${label(address)}.${address.namespace}.${name}${port}`;
  return { kind: "redirect", location: `${origin}/${ascii(rest + query)}` };
}

/** The same path with a slash at its end. One that begins with two would send the reader to another host. */
export function withSlash({ path, query }: Asked): string {
  return `/${ascii(path).replace(/^\/+/, "")}/${ascii(query)}`;
}

/** The same path below this origin, with this in its query. */
export function withQuery({ path, query }: Asked, more: string): string {
  const rest = query.length > 1 ? `${ascii(query)}&` : "?";
  return `/${ascii(path).replace(/^\/+/, "")}${rest}${more}`;
}

/** A raw part of a URL, fit for a header: browsers take a backslash for a slash. */
function ascii(raw: string): string {
  return raw.replace(/[^\x21-\x7e]|\\/gu, encodeURIComponent);
}

/** A site under its own name. */
function site(name: string, path: string): Address {
  if (name.endsWith(".localhost")) {
    throw new NethoodError("BAD_ADDRESS", `"${name.slice(0, 80)}" names no site.`, {
      hint: "Sites are at docs-example-org.ipns.localhost or <cid>.ipfs.localhost.",
    });
  }
  return parseAddress(`http://${name}${path}`);
}

/** The site's name as one DNS label. */
function label({ namespace, root }: Address): string {
  const label = namespace === "ipfs"
    ? parseCid(root).toV1().toString()
    : root.includes(".")
    ? toLabel(root)
    : root;
  if (label.length > MAX_LABEL) throw tooLong(label);
  return label;
}

function tooLong(label: string): NethoodError {
  return new NethoodError(
    "BAD_ADDRESS",
    `"${label.slice(0, 80)}" is incompatible with the DNS label length limit of ${MAX_LABEL}.`,
    { hint: "Open it as a path on 127.0.0.1 instead." },
  );
}
