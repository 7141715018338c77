/** DNS servers, as a person writes them and as the operating system names them. */
import dns from "node:dns";
import { isIP, isIPv4, isIPv6, SocketAddress } from "node:net";
import { NethoodError } from "../errors.ts";

const DNS_PORT = 53;

/** A server that is asked over UDP, and over TCP where an answer is long. */
export interface PlainServer {
  kind: "plain";
  /** As it was written. */
  text: string;
  /** An IP address; a host name only where `udp://` was written. */
  host: string;
  port: number;
}

/** A server that is asked over HTTPS (RFC 8484). */
export interface HttpsServer {
  kind: "https";
  /** As it was written. */
  text: string;
  url: string;
}

export type DnsServer = PlainServer | HttpsServer;

/**
 * Parses `127.0.0.1`, `127.0.0.1:5353`, `::1`, `[::1]:5353`, `udp://host:port` or `https://host/dns-query`. Plain `http://`
 * is accepted for this machine's own addresses only, where nobody else can listen or answer.
 *
 * @throws {NethoodError} BAD_OPTION
 */
export function parseServer(text: string): DnsServer {
  const server = /^https?:\/\//i.test(text) ? parseUrl(text) : parsePlain(text);
  if (server !== undefined) return server;
  // Without its query: one that was to be rfc2136://, but for a slip, has a secret there.
  const shown = text.replace(/\?.*/s, "?…");
  throw new NethoodError("BAD_OPTION", `"${shown}" is not a DNS server Nethood can ask.`, {
    hint: "Write it as 1.1.1.1, 127.0.0.1:5353, [::1]:5353, udp://host:port or " +
      "https://host/dns-query (http:// only for this machine itself).",
  });
}

/** The servers this machine is set up with; none where it has no network configuration. */
export function systemServers(): DnsServer[] {
  // Through the module: on Node.js, a getServers imported by name goes on telling the servers of before setServers().
  return [...new Set(dns.getServers())].map(parseServer);
}

function parsePlain(text: string): PlainServer | undefined {
  const named = /^udp:\/\/([^/]+)\/?$/i.exec(text);
  const rest = named ? named[1]! : text;
  if (isIPv6(rest)) return { kind: "plain", text, host: canonical(rest), port: DNS_PORT };
  const parts = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(rest);
  if (parts === null) return undefined;
  const [, v6, host = v6!, digits = `${DNS_PORT}`] = parts;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return undefined;
  if (v6 !== undefined) {
    return isIPv6(v6) ? { kind: "plain", text, host: canonical(v6), port } : undefined;
  }
  // A bare word is more often a slip than a host; "1.1.1" and "1.1.1.256" always are.
  const isHost = isIPv4(host) || (named !== null && /^[a-z0-9.-]*[a-z][a-z0-9.-]*$/i.test(host));
  return isHost ? { kind: "plain", text, host, port } : undefined;
}

/** The one spelling of an IPv6 address in which a socket reports who sent an answer; a zone (`%eth0`) is kept. */
function canonical(address: string): string {
  const [ip, zone] = address.split("%");
  const { address: short } = new SocketAddress({ address: ip!, family: "ipv6" });
  return zone === undefined ? short : `${short}%${zone}`;
}

function parseUrl(text: string): HttpsServer | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, username, password, href } = new URL(text);
  if (username !== "" || password !== "") return undefined;
  if (protocol !== "https:" && !isLoopback(hostname)) return undefined;
  return { kind: "https", text, url: href };
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" ||
    (isIP(hostname) === 4 && hostname.startsWith("127."));
}
