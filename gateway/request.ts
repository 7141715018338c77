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

export interface Asked {
  /** `Host`, or the host of an absolute-form URL (a proxy request). */
  host: string;
  /** Raw path, percent-encoding and all. */
  path: string;
  /** Raw query with its question mark, or "". */
  query: string;
}

/** Where the request wants to go. */
export type Target =
  /** This node's own pages. */
  | { kind: "home" }
  /** Content, `isolated` where the site has an origin of its own. */
  | { kind: "content"; address: Address; isolated: boolean }
  /** The same content in an origin of its own. */
  | { kind: "redirect"; location: string };

export function readUrl(url: string): Asked {
  if (url.length > MAX_URL) {
    throw new NethoodError("BAD_ADDRESS", `The address is longer than ${MAX_URL} characters.`);
  }
  const parts = /^https?:\/\/([^/?#]*)([^?#]*)(\?[^#]*)?/i.exec(url);
  if (parts === null) throw new NethoodError("BAD_ADDRESS", "The request has no readable URL.");
  return { host: parts[1]!.toLowerCase(), path: parts[2] || "/", query: parts[3] ?? "" };
}

/** @throws {NethoodError} BAD_ADDRESS */
export function target({ host, path, query }: Asked): Target {
  const address = fromHttp(host, path);
  if (!isPathGateway(host)) {
    return {
      kind: "content",
      address: address ?? parseAddress(`http://${host}${path}`),
      isolated: true,
    };
  }
  if (address === undefined) return { kind: "home" };
  // An IP address has no subdomains; `localhost` has, and there every site gets an origin of its own
  // (specification: subdomain-gateway, "Migrating from Path to Subdomain Gateway").
  if (!host.startsWith("localhost")) return { kind: "content", address, isolated: false };
  const [, , root = ""] = path.split("/");
  const rest = path.slice(path.indexOf(root) + root.length) || "/";
  return {
    kind: "redirect",
    location: `http://${label(address)}.${address.namespace}.${host}${rest}${query}`,
  };
}

/** The site's name as one DNS label. */
function label({ namespace, root }: Address): string {
  const label = namespace === "ipfs"
    ? parseCid(root).toV1().toString()
    : root.includes(".")
    ? toLabel(root)
    : root;
  if (label.length > MAX_LABEL) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `"${label.slice(0, 80)}" is incompatible with the DNS label length limit of ${MAX_LABEL}.`,
      {
        hint: "Open it on 127.0.0.1 instead of localhost.",
      },
    );
  }
  return label;
}
