/**
 * Addresses: every way to write one comes in here, and one canonical form goes out.
 *
 *     /ipfs/<cid>/path      /ipns/<key or DNS name>/path      ipfs://… ipns://…
 *     http://docs.example.org/path      docs.example.org/path
 *     http://<cid>.ipfs.localhost:8080/      http://docs-example-org.ipns.localhost:8080/
 */
import { code as DAG_PB } from "@ipld/dag-pb";
import { base16, base16upper } from "multiformats/bases/base16";
import { base32, base32upper } from "multiformats/bases/base32";
import { base36, base36upper } from "multiformats/bases/base36";
import { base58btc } from "multiformats/bases/base58";
import { base64url } from "multiformats/bases/base64";
import { CID } from "multiformats/cid";
import { decode as decodeMultihash } from "multiformats/hashes/digest";
import { identity } from "multiformats/hashes/identity";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError } from "../errors.ts";
import { excerpt } from "../printable.ts";

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

/** Longest address that is read, in characters: what a DNS record can hold. Browsers send far less. */
const MAX_ADDRESS = 64 * 1024;

/** Longest CID, in characters: an identity CID of 128 bytes in base16. Decoding takes time with the square of the length. */
const MAX_CID = 300;

/** Longest public key that is its own IPNS name, in bytes; a longer one is named by its hash (specification: peer-ids). */
const MAX_INLINE_KEY = 42;

/** What would end a host in a URL, or be dropped there: a name with it is not the name that was written. */
const URL_SYNTAX = /[\s/\\?#@:%[\]]/;

/** The multibases CIDs are written in (specification: subdomain and path gateway). */
const BASES = base32.decoder.or(base32upper.decoder).or(base36.decoder).or(base36upper.decoder)
  .or(base58btc.decoder).or(base16.decoder).or(base16upper.decoder).or(base64url.decoder);

const HINT =
  "Addresses look like http://docs.example.org/page, /ipfs/<cid>/page or /ipns/<name>/page.";

/**
 * Parses an address a person typed or a program sent.
 *
 * @throws {NethoodError} BAD_ADDRESS
 */
export function parseAddress(text: string): Address {
  if (text.length > MAX_ADDRESS) throw bad(`The address is longer than ${MAX_ADDRESS} characters.`);
  const typed = text.trim();
  const native = /^\/(ipfs|ipns)\/(.*)$/s.exec(typed) ??
    /^(?:web\+)?(ipfs|ipns):\/\/(.*)$/is.exec(typed);
  if (native) return fromPath(native[1]!.toLowerCase() as Address["namespace"], native[2]!);

  const [, scheme, host = "", path = ""] = /^(https?:\/\/)?([^/?#]*)([^?#]*)/i.exec(typed)!;
  if (host === "" || scheme === undefined && host.endsWith(":")) {
    throw bad(`"${shorten(text)}" is not an address Nethood can open.`);
  }
  const known = fromHttp(host, path);
  if (known) return known;
  // A word without a dot is no site's name, but people copy CIDs and keys without what belongs before them.
  if (scheme === undefined && !host.includes(".")) {
    const cid = tryCid(host);
    return fromPath(cid && cid.code !== LIBP2P_KEY ? "ipfs" : "ipns", host + path);
  }
  return { namespace: "ipns", root: parseName(withoutPort(host)), path: parsePath(path) };
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
  const origin = /^(.+)\.(ipfs|ipns)\.localhost$/.exec(name);
  if (origin) return fromOrigin(origin[2] as Address["namespace"], origin[1]!, path);
  const native = /^\/(ipfs|ipns)\/(.*)$/s.exec(path);
  return native && isPathGateway(host)
    ? fromPath(native[1] as Address["namespace"], native[2]!)
    : undefined;
}

/**
 * The address of a path in a site's origin, such as `docs-example-org` in `ipns`. A name may also stand there as it is, with its
 * dots, for a gateway without a certificate has no need of one label.
 *
 * @throws {NethoodError} BAD_ADDRESS
 */
export function fromOrigin(
  namespace: Address["namespace"],
  label: string,
  path: string,
): Address {
  const inlined = namespace === "ipns" && !label.includes(".");
  return fromPath(namespace, `${inlined ? fromLabel(label) : label}${path}`);
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

/**
 * The IPNS key that a root is, or undefined where it is a DNS name. Keys are written as CIDs or as peer IDs, and older programs
 * gave those CIDs the codec dag-pb (specification: subdomain-gateway, "PeerID").
 */
export function parseKey(root: string): CID | undefined {
  const cid = tryCid(root) ?? tryPeerId(root);
  if (cid === undefined || cid.code !== LIBP2P_KEY && cid.code !== DAG_PB) return undefined;
  const { code, digest } = cid.multihash;
  const isKey = code === identity.code ? digest.byteLength <= MAX_INLINE_KEY : code === sha256.code;
  return isKey ? CID.createV1(LIBP2P_KEY, cid.multihash) : undefined;
}

/** A CID in any common multibase. @throws {NethoodError} BAD_ADDRESS */
export function parseCid(text: string): CID {
  const cid = tryCid(text);
  if (cid === undefined) throw bad(`"${shorten(text)}" is not a valid CID.`);
  return cid;
}

/** A DNS name in its canonical form: lower case, punycode, no trailing dot. @throws {NethoodError} BAD_ADDRESS */
export function parseName(text: string): string {
  const url = URL_SYNTAX.test(text) ? null : URL.parse(`http://${text}`);
  const name = url?.hostname.replace(/\.$/, "") ?? "";
  const labels = name.split(".");
  const valid = labels.length > 1 && name.length <= 253 && !/^[\d.]+$/.test(name) &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/.test(label));
  if (!valid) throw bad(`"${shorten(text)}" is neither a CID, an IPNS key nor a DNS name.`);
  return name;
}

/** @param rest what follows `/ipfs/` or `/ipns/`, percent-encoded. @throws {NethoodError} BAD_ADDRESS */
export function fromPath(namespace: Address["namespace"], rest: string): Address {
  const [, root = "", path = ""] = /^([^/?#]*)([^?#]*)/.exec(rest)!;
  if (namespace === "ipfs") {
    return { namespace, root: parseCid(root).toString(), path: parsePath(path) };
  }
  const key = parseKey(root);
  if (key === undefined && tryCid(root)) {
    throw bad(
      `"${shorten(root)}" is the CID of content, not an IPNS key.`,
      `Content is opened with /ipfs/${shorten(root)}.`,
    );
  }
  return { namespace, root: key?.toString(base36) ?? parseName(root), path: parsePath(path) };
}

/** A path's segments, decoded. A slash that was encoded stays in its segment: it is no separator. */
function parsePath(path: string): string[] {
  return path.split("/").map(decodeSegment).filter((segment) => segment !== "");
}

function decodeSegment(segment: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch (cause) {
    throw bad(`"${shorten(segment)}" is not valid percent-encoding.`, HINT, cause);
  }
  // A URL's own dots are resolved by whoever sends it; one that is left is an attempt to climb.
  if (decoded === "." || decoded === ".." || decoded.includes("\0") || !decoded.isWellFormed()) {
    throw bad(`"${shorten(segment)}" cannot be a part of a path.`);
  }
  return decoded;
}

function tryCid(text: string): CID | undefined {
  if (text.length > MAX_CID) return undefined;
  try {
    return CID.parse(text, BASES);
  } catch {
    // What is no CID in any encoding may be something else; who needs a CID says so.
    return undefined;
  }
}

/** A key as a peer ID in its older form, base58btc without a multibase prefix: `12D3Koo…` (`Qm…` is read as a CID). */
function tryPeerId(text: string): CID | undefined {
  if (!text.startsWith("1") || text.length > MAX_CID) return undefined;
  try {
    return CID.createV1(LIBP2P_KEY, decodeMultihash(base58btc.decode(`z${text}`)));
  } catch {
    // A name such as 1.example.org.
    return undefined;
  }
}

/** A `Host` as it is compared: without its port and the final dot, in lower case. */
function hostname(host: string): string {
  return withoutPort(host).toLowerCase().replace(/\.$/, "");
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, "");
}

function bad(message: string, hint = HINT, cause?: unknown): NethoodError {
  return new NethoodError("BAD_ADDRESS", message, { cause, hint });
}

function shorten(text: string): string {
  return excerpt(text, 80);
}
