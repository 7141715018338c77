/** Name servers that take updates, as a person writes them: `rfc2136://ns1.example.org?tsig=NAME:ALGORITHM:SECRET`. */
import { Buffer } from "node:buffer";
import { NethoodError } from "../errors.ts";
import { foldName, isName } from "./dns-message.ts";
import { ALGORITHMS, type TsigAlgorithm, type TsigKey } from "./tsig.ts";

const DNS_PORT = 53;

/** Where it is missing: what every server has, and RFC 8945 section 6 wants to be used. */
const DEFAULT_ALGORITHM: TsigAlgorithm = "hmac-sha256";

/** Shorter secrets are a slip of the clipboard, in bytes. RFC 8945 section 8 wants them as long as the hash. */
const MIN_SECRET = 8;

/** What such an address says. Where the key is told is left to whoever may read files and the environment. */
export interface UpdateAddress {
  /** For people: the host, and the port where it is not 53. */
  text: string;
  /** A host name or an IP address. */
  host: string;
  port: number;
  /** The zone to change, without the final dot; undefined: the server is asked which it is. */
  zone: string | undefined;
  /** The key itself, or a file that has it; neither: it is somewhere else. */
  tsig: string | undefined;
  tsigFile: string | undefined;
}

/** A name server, and the key that it lets change something. */
export interface UpdateServer extends Pick<UpdateAddress, "text" | "host" | "port" | "zone"> {
  key: TsigKey;
}

/** Whether one of the things a person calls a DNS server is for updates, not for questions; however it is misspelt behind that. */
export function isUpdateAddress(text: string): boolean {
  return /^rfc2136:/i.test(text);
}

/**
 * Parses `rfc2136://HOST[:PORT][?zone=…][&tsig=…|&tsig-file=…]`. What is in the query is percent-decoded, but a plus sign, as
 * base64 has it, stays one.
 *
 * @throws {NethoodError} BAD_OPTION, without the secret in it
 */
export function parseUpdateAddress(text: string): UpdateAddress {
  const [, authority, query = ""] = /^rfc2136:\/\/([^/?#]+)\/?(?:\?([^#]*))?$/i.exec(text) ?? [];
  // Any other scheme's URL has the same hosts and ports; that of "http:" also makes them tidy.
  const url = authority === undefined ? null : URL.parse(`http://${authority}`);
  if (url === null || url.username !== "" || url.password !== "" || url.hostname === "") {
    throw wrong("An address that begins with rfc2136: is not one of a name server.");
  }
  // The URL parser takes port 80 for a matter of course.
  const port = Number(/:(\d+)$/.exec(authority!)?.[1] ?? DNS_PORT);
  if (port === 0) throw wrong("A name server has no port 0.");
  const values = parseQuery(query);
  const zone = values.get("zone");
  if (zone !== undefined && !isName(zone)) {
    throw wrong("A name server's address needs the name of a DNS zone behind zone=.");
  }
  const shown = `${url.hostname}${port === DNS_PORT ? "" : `:${port}`}`;
  return {
    text: shown,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    zone: zone === undefined ? undefined : foldName(zone),
    tsig: values.get("tsig"),
    tsigFile: values.get("tsig-file"),
  };
}

function parseQuery(query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const part of query.split("&").filter(Boolean)) {
    const [, name, text] = /^([^=]*)=?(.*)$/s.exec(part)!;
    if (!["zone", "tsig", "tsig-file"].includes(name!)) {
      throw wrong("A name server's address has a part that Nethood does not know.");
    }
    if (values.has(name!)) throw wrong(`A name server's address has ${name}= twice.`);
    if (text === "") throw wrong(`A name server's address needs a value behind ${name}=.`);
    try {
      values.set(name!, decodeURIComponent(text!));
    } catch (cause) {
      throw wrong(`A name server's address has wrong percent-encoding behind ${name}=.`, cause);
    }
  }
  if (values.has("tsig") && values.has("tsig-file")) {
    throw wrong("A name server's address has both tsig= and tsig-file=.");
  }
  return values;
}

/**
 * Parses a key: `name:hmac-sha256:secret`, the same with the algorithm first or left out, as `dig -y` takes it, or a whole key
 * file of BIND (`key "name" { algorithm …; secret "…"; };`) or of Knot's `keymgr -t`.
 *
 * @param from how the sentence begins that says what is wrong with it
 * @throws {NethoodError} BAD_OPTION, without the secret in it
 */
export function parseKey(text: string, from = "The key of tsig="): TsigKey {
  const { name, algorithm, secret } = fromKeyFile(text) ?? fromLine(text);
  const sorted = algorithm.toLowerCase().replace(/\.$/, "");
  if (/^hmac-md5/.test(sorted)) {
    throw wrongKey(`${from} is for ${sorted}, which is no longer safe.`);
  }
  const known = ALGORITHMS.find((one) => one === sorted);
  if (known === undefined) {
    throw wrongKey(
      `${from} is for an algorithm that is not one of ${ALGORITHMS.join(", ")}.`,
    );
  }
  if (!isName(name)) throw wrongKey(`${from} has no name.`);
  const bytes = Buffer.from(secret, "base64");
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(secret) || bytes.length < MIN_SECRET) {
    throw wrongKey(`${from} has a secret that is not base64, or cut short.`);
  }
  return { name: foldName(name), algorithm: known, secret: bytes };
}

interface KeyText {
  name: string;
  algorithm: string;
  secret: string;
}

/** @returns undefined where it is no key file of BIND */
function fromKeyFile(text: string): KeyText | undefined {
  const [, name, body] = /\bkey\s+"?([^\s"{]+)"?\s*\{([^}]*)\}/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const value = (word: string) =>
    new RegExp(`\\b${word}\\s+"?([^\\s";]+)"?\\s*;`).exec(body!)?.[1] ?? "";
  return { name, algorithm: value("algorithm"), secret: value("secret") };
}

/** Knot's `keymgr -t` has it in a comment, before what its own configuration takes. */
function fromLine(text: string): KeyText {
  const line = text.trim().split(/\r?\n/, 1)[0]!.replace(/^#\s*/, "");
  const parts = line.split(":").map((part) => part.trim());
  const [first = "", second = "", third] = parts;
  if (parts.length > 3) return { name: "", algorithm: DEFAULT_ALGORITHM, secret: "" };
  if (third === undefined) return { name: first, algorithm: DEFAULT_ALGORITHM, secret: second };
  const swapped = /^hmac-/i.test(first) && !/^hmac-/i.test(second);
  return swapped
    ? { name: second, algorithm: first, secret: third }
    : { name: first, algorithm: second, secret: third };
}

function wrong(message: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_OPTION", message, {
    cause,
    hint:
      "Write it as rfc2136://ns1.example.org?tsig-file=/path/to/key (also :PORT, &zone=example.org).",
  });
}

function wrongKey(message: string): NethoodError {
  return new NethoodError("BAD_OPTION", message, {
    hint: "Write a key as NAME:hmac-sha256:SECRET, with the secret in base64.",
  });
}
