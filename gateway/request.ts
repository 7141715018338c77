/** What a request asks for, read from its raw URL: `new URL` would resolve `..` and so hide what was really sent. */
import {
  type Address,
  fromOrigin,
  fromPath,
  parseAddress,
  parseCid,
  toLabel,
} from "../src/content/address.ts";
import { NethoodError } from "../src/errors.ts";
import { type Hosts, LOCALHOST, type Place } from "./hosts.ts";

/** Longest DNS label (RFC 1035, 2.3.4). */
const MAX_LABEL = 63;

/** Longest URL that is read; what browsers send stays far below. */
const MAX_URL = 16 * 1024;

/** The addresses that `localhost` stands for. */
const LOOPBACK = ["127.0.0.1", "[::1]"];

export interface Asked {
  /** As the client sees it: `https` also where a reverse proxy ends TLS. */
  scheme: "http" | "https";
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
  | ContentTarget
  /** The same content at its canonical address or in an origin of its own; or, with 302, where it is on this gateway. */
  | { kind: "redirect"; location: string; status: 301 | 302 };

export interface ContentTarget {
  kind: "content";
  address: Address;
  /** Whether the site has an origin of its own. */
  isolated: boolean;
  /** Host and port of the gateway below which this origin is, such as `localhost:7080`. */
  gateway?: string;
  /** What is meant where the host turns out to be no site: then this is a path on a gateway under a name it was not told. */
  otherwise?: () => Target;
}

/** @throws {NethoodError} BAD_ADDRESS */
export function readUrl(url: string): Asked {
  if (url.length > MAX_URL) {
    throw new NethoodError("BAD_ADDRESS", `The address is longer than ${MAX_URL} characters.`);
  }
  const parts = /^(https?):\/\/([^/?#]*?)\.?(:\d*)?(?=[/?#]|$)([^?#]*)(\?[^#]*)?/i.exec(url);
  if (parts === null) throw new NethoodError("BAD_ADDRESS", "The request has no readable URL.");
  const [, scheme, name, port, path, query] = parts;
  return {
    scheme: scheme!.toLowerCase() as Asked["scheme"],
    name: name!.toLowerCase(),
    port: port ?? "",
    path: path || "/",
    query: query ?? "",
  };
}

/** @throws {NethoodError} BAD_ADDRESS */
export function target(asked: Asked, hosts: Hosts): Target {
  const { name, path } = asked;
  const place = hosts(name);
  const long = name.split(".").find((label) => label.length > MAX_LABEL);
  if (long !== undefined) throw tooLong(long, place.kind === "origin" ? "CID" : "Name");
  switch (place.kind) {
    case "origin":
      return inOrigin(asked, place);
    case "gateway":
      return onGateway(asked);
    case "machine":
      return onPath(asked);
    case "nowhere":
      throw new NethoodError("BAD_ADDRESS", `"${name.slice(0, 80)}" names no site.`, {
        hint: "Sites are at docs-example-org.ipns.localhost or <cid>.ipfs.localhost.",
      });
    case "site": {
      const address = parseAddress(`http://${name}${path}`);
      const content = { kind: "content", address, isolated: true } as const;
      return native(path) ? { ...content, otherwise: () => onPath(asked) } : content;
    }
  }
}

function inOrigin(asked: Asked, place: Place & { kind: "origin" }): Target {
  const { namespace, label, gateway } = place;
  const address = fromOrigin(namespace, label, asked.path);
  // A key has many forms, and each would be an origin (subdomain-gateway, "PeerID").
  if (namespace === "ipns" && !address.root.includes(".") && address.root !== label) {
    return toOrigin(asked, gateway, address, asked.path.slice(1));
  }
  return { kind: "content", address, isolated: true, gateway: gateway + asked.port };
}

/** A name with subdomains: there every site gets an origin of its own (subdomain-gateway, "Migrating from Path …"). */
function onGateway(asked: Asked): Target {
  const found = native(asked.path);
  if (found === undefined) return own(asked);
  return fromHandler(asked, found) ??
    toOrigin(asked, asked.name, address(asked.path, found), found.rest);
}

/** An IP address has no subdomains: all sites share one origin. */
function onPath(asked: Asked): Target {
  const found = native(asked.path);
  if (found === undefined) return own(asked);
  const handled = fromHandler(asked, found);
  if (handled) return handled;
  const to = address(asked.path, found);
  // One key, one path; caches and histories then know it again (path-gateway, "302 Found").
  if (to.namespace === "ipns" && !to.root.includes(".") && to.root !== found.root) {
    const rest = found.rest === "" && !asked.path.endsWith("/") ? "" : `/${found.rest}`;
    const location = `/ipns/${to.root}${ascii(rest + asked.query)}`;
    return { kind: "redirect", location, status: 302 };
  }
  return { kind: "content", address: to, isolated: false };
}

function own({ name }: Asked): Target {
  const host = name === LOCALHOST ? name : LOOPBACK.includes(name) ? "loopback" : "other";
  return { kind: "own", host };
}

function toOrigin(asked: Asked, gateway: string, address: Address, rest: string): Target {
  const { scheme, port, query } = asked;
  const origin = `${scheme}://${label(address)}.${address.namespace}.${gateway}${port}`;
  return { kind: "redirect", location: `${origin}/${ascii(rest + query)}`, status: 301 };
}

/**
 * `/ipfs/?uri=ipfs://…`: where browsers send an address of ours, once a page has asked them to (path-gateway, "uri";
 * `registerProtocolHandler`).
 */
function fromHandler({ query }: Asked, { root, rest }: Native): Target | undefined {
  const uri = root + rest === "" ? new URLSearchParams(query).get("uri") : null;
  if (uri === null) return undefined;
  const [, scheme, found] = /^(?:web\+)?(ipfs|ipns):\/\/(.*)$/is.exec(uri) ?? [];
  if (scheme === undefined || found === undefined) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `"${uri.slice(0, 80)}" is no ipfs:// or ipns:// address.`,
    );
  }
  parseAddress(uri); // Whatever is wrong with it is better said now than after a redirect.
  return { kind: "redirect", location: `/${scheme.toLowerCase()}/${ascii(found)}`, status: 301 };
}

/** A path of a path gateway, in its raw parts. */
interface Native {
  namespace: Address["namespace"];
  root: string;
  rest: string;
}

function native(path: string): Native | undefined {
  const parts = /^\/(ipfs|ipns)\/([^/]*)\/?(.*)$/s.exec(path);
  if (parts === null) return undefined;
  const [, namespace, root, rest] = parts;
  return { namespace: namespace as Native["namespace"], root: root!, rest: rest! };
}

function address(path: string, { namespace, root, rest }: Native): Address {
  try {
    return fromPath(namespace, `${root}/${rest}`);
  } catch (cause) {
    if (!(cause instanceof NethoodError)) throw cause;
    // As it was written: most encodings of a CID tell capitals from small letters.
    const message = `This is an invalid path "${path.slice(0, 200)}": ${cause.message}`;
    throw new NethoodError("BAD_ADDRESS", message, {
      cause,
      ...(cause.hint && { hint: cause.hint }),
    });
  }
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
export function ascii(raw: string): string {
  return raw.replace(/[^\x21-\x7e]|\\/gu, encodeURIComponent);
}

/** The site's name as one DNS label. */
function label({ namespace, root }: Address): string {
  const name = root.includes(".");
  const label = namespace === "ipfs"
    ? parseCid(root).toV1().toString()
    : name
    ? toLabel(root)
    : root;
  if (label.length > MAX_LABEL) throw tooLong(label, name ? "Name" : "CID");
  return label;
}

function tooLong(label: string, what: "CID" | "Name"): NethoodError {
  return new NethoodError(
    "BAD_ADDRESS",
    `${what} incompatible with DNS label length limit of ${MAX_LABEL}: "${
      label.slice(0, 80)
    }" has ${label.length}.`,
    { hint: "Open it as a path instead: a node of your own has it below http://127.0.0.1:7080/." },
  );
}
