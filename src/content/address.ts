/**
 * Addresses: every way to write one comes in here, and one canonical form goes out.
 *
 *     /ipfs/<cid>/path      /ipns/<key or DNS name>/path      ipfs://… ipns://…
 *     http://docs.example.org/path      docs.example.org/path
 *     http://<cid>.ipfs.localhost:8080/      http://docs-example-org.ipns.localhost:8080/
 */
import { base36 } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { CID } from "multiformats/cid";
import { decode as decodeMultihash } from "multiformats/hashes/digest";
import { NethoodError } from "../errors.ts";

/** What an address names: something immutable (`ipfs`, a CID) or something mutable (`ipns`, a key or a DNS name). */
export interface Address {
  namespace: "ipfs" | "ipns";
  /** A CID, an IPNS key (CIDv1, base36) or a DNS name in lower case. */
  root: string;
  /** Decoded path segments, none of them empty. */
  path: string[];
}

/** The multicodec of an IPNS key written as a CID. */
export const LIBP2P_KEY = 0x72;

const HINT =
  "Addresses look like http://docs.example.org/page, /ipfs/<cid>/page or /ipns/<name>/page.";

/**
 * Parses an address a person typed or a program sent.
 *
 * @throws {NethoodError} BAD_ADDRESS
 */
export function parseAddress(text: string): Address {
  const typed = text.trim();
  const native = /^(?:\/|(?:web\+)?)(ipfs|ipns)(?::\/\/|\/)(.*)$/s.exec(typed);
  if (native && (typed.startsWith("/") || typed.includes("://"))) {
    return fromPath(native[1]!, native[2]!);
  }
  const web = /^https?:\/\/([^/?#]*)([^?#]*)/i.exec(
    /^https?:\/\//i.test(typed) ? typed : `http://${typed}`,
  );
  if (web === null || web[1] === "" || web[1]!.includes("@")) throw bad(text);
  return fromHttp(web[1]!, web[2]!) ?? cidOrName(web[1]!, web[2]!, text);
}

/** The canonical form, `/ipfs/<cid>/path` or `/ipns/<name>/path`, percent-encoded. */
export function formatAddress({ namespace, root, path }: Address): string {
  return `/${[namespace, root, ...path.map(encodeURIComponent)].join("/")}`;
}

/**
 * The address a `Host` names by itself: a subdomain (`<cid>.ipfs.localhost`) or, with `path`, an address on a path gateway
 * (`localhost`, an IP address). Undefined for any other host: that one is a site's own name.
 */
export function fromHttp(host: string, path: string): Address | undefined {
  const name = hostname(host);
  const label = /^(.+)\.(ipfs|ipns)\.localhost$/.exec(name);
  if (label) {
    const root = label[2] === "ipns" && !label[1]!.includes(".") ? fromLabel(label[1]!) : label[1]!;
    return fromPath(label[2]!, `${root}${path}`);
  }
  const native = /^\/(ipfs|ipns)\/(.*)$/s.exec(path);
  return native && isPathGateway(host) ? fromPath(native[1]!, native[2]!) : undefined;
}

/** Whether a `Host` is this machine itself rather than a site: `localhost` or an IP address. */
export function isPathGateway(host: string): boolean {
  const name = hostname(host);
  return name === "localhost" || name.startsWith("[") || /^[\d.]+$/.test(name);
}

/** A DNS name as one label: `docs.example.org` -> `docs-example-org`; dashes are doubled (subdomain gateway spec, "Inlined DNSLink names"). */
export function toLabel(name: string): string {
  return name.replaceAll("-", "--").replaceAll(".", "-");
}

/** The name a label stands for; a label that is an IPNS key stays as it is. */
export function fromLabel(label: string): string {
  if (label.includes("-")) return label.replace(/--|-/g, (dashes) => dashes === "--" ? "-" : ".");
  return label;
}

/** The IPNS key that a root is, or undefined where it is a DNS name. */
export function parseKey(root: string): CID | undefined {
  try {
    if (/^(Qm|12D3|16Uiu)/.test(root)) {
      return CID.createV1(LIBP2P_KEY, decodeMultihash(base58btc.decode(`z${root}`)));
    }
    if (!/^[a-z0-9]{40,}$/i.test(root)) return undefined;
    const cid = parseCid(root);
    return CID.createV1(LIBP2P_KEY, cid.multihash);
  } catch {
    // Not a key in any encoding: it is read as a DNS name.
    return undefined;
  }
}

/** A CID in any common multibase. @throws {NethoodError} BAD_ADDRESS */
export function parseCid(text: string): CID {
  try {
    return text.startsWith("k") ? CID.parse(text, base36) : CID.parse(text);
  } catch (cause) {
    throw new NethoodError("BAD_ADDRESS", `"${shorten(text)}" is not a valid CID.`, {
      cause,
      hint: HINT,
    });
  }
}

/** Characters that mean something in a URL; with one of them, a text is more (or less) than a name. */
const URL_SYNTAX = /[\s/\\?#@:%[\]]/;

/** A DNS name in its canonical form: lower case, punycode, no trailing dot. @throws {NethoodError} BAD_ADDRESS */
export function parseName(text: string): string {
  let name: string;
  try {
    if (URL_SYNTAX.test(text)) throw new Error("a URL's syntax");
    name = new URL(`http://${text}`).hostname.replace(/\.$/, "");
  } catch (cause) {
    throw new NethoodError("BAD_ADDRESS", `"${shorten(text)}" is not a DNS name.`, {
      cause,
      hint: HINT,
    });
  }
  const labels = name.split(".");
  const valid = labels.length > 1 && name.length <= 253 && !/^[\d.]+$/.test(name) &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/.test(label));
  if (!valid) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `"${shorten(text)}" is neither a CID, an IPNS key nor a DNS name.`,
      { hint: HINT },
    );
  }
  return name;
}

function fromPath(namespace: string, rest: string): Address {
  const [root = "", ...segments] = rest.split(/[?#]/, 1)[0]!.split("/");
  const path = segments.map(decodeSegment).filter((segment) => segment !== "");
  if (namespace === "ipfs") return { namespace, root: parseCid(root).toString(), path };
  const key = parseKey(root);
  return { namespace: "ipns", root: key ? key.toString(base36) : parseName(root), path };
}

function cidOrName(host: string, path: string, text: string): Address {
  if (!/^https?:/i.test(text.trim()) && /^(Qm|b|z|f|k)[a-z0-9]{44,}$/i.test(host)) {
    return fromPath("ipfs", host + path);
  }
  return fromPath("ipns", hostname(host) + path);
}

function decodeSegment(segment: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw new NethoodError("BAD_ADDRESS", `"${shorten(segment)}" is not valid percent-encoding.`, {
      cause,
      hint: HINT,
    });
  }
  // A URL's own dots are resolved by whoever sends it; one that is left is an attempt to climb.
  if (decoded === "." || decoded === ".." || decoded.includes("\0")) {
    throw new NethoodError("BAD_ADDRESS", `"${shorten(segment)}" cannot be a part of a path.`, {
      hint: HINT,
    });
  }
  return decoded;
}

/** A `Host` without its port, in lower case. */
function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

function bad(text: string): NethoodError {
  return new NethoodError("BAD_ADDRESS", `"${shorten(text)}" is not an address Nethood can open.`, {
    hint: HINT,
  });
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
