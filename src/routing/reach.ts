/** Addresses that a stranger says are its own: which of them are well formed, and from where they lead to anybody. */
import { isIP } from "node:net";
import { multiaddr } from "@multiformats/multiaddr";
import { parseName } from "../content/address.ts";
import { type Distance, distanceTo, isIPv4Address, isSomewhere, networkOf } from "./network.ts";

/** What the usual addresses look like after the host; others are read by the parser itself. */
const USUAL = /^\/(?:tcp\/(\d{1,5})(?:\/wss?|\/tls\/ws)?|udp\/(\d{1,5})\/quic-v1)$/;

/** The words of all others that are handed on: a client that does not know a word drops the whole answer. */
const KNOWN =
  /^(?:\/(?:tcp|udp)\/\d{1,5}|\/(?:sni|certhash)\/[\w.-]+|\/(?:ws|wss|tls|http|quic-v1|webtransport|webrtc-direct|noise)(?=\/|$))+$/;

/** ::/56, where loopback is, and IPv4 in other clothes. */
const ZEROS = "0".repeat(14);

export interface Reach {
  /** A multiaddr without the peer's ID at its end. */
  text: string;
  /** An IP address, or a name. */
  host: string;
  /** How near one must be to be led to the peer by it. */
  from: Distance;
  /** The relay's peer ID, of an address through one. */
  relay?: string;
}

/** One address of a peer, or undefined where it is none that helps anybody. */
export function readReach(address: string, id: string): Reach | undefined {
  const end = `/p2p/${id}`;
  const text = address.endsWith(end) ? address.slice(0, -end.length) : address;
  const circuit = text.endsWith("/p2p-circuit")
    ? /^(\/.+)\/p2p\/(\w{1,80})\/p2p-circuit$/.exec(text)
    : null;
  const [, kind, host, rest] = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)(\/.*)$/.exec(
    circuit?.[1] ?? text,
  ) ?? [];
  if (host === undefined || rest === undefined || !isHost(kind!, host)) return undefined;
  if (circuit || !isPlain(rest)) {
    if (!KNOWN.test(rest) || !parses(text)) return undefined;
  }
  const from = kind!.startsWith("dns") ? "world" : distanceTo(host);
  return { text, host, from, ...(circuit && { relay: circuit[2]! }) };
}

function isPlain(rest: string): boolean {
  const [, tcp, udp] = USUAL.exec(rest) ?? [];
  const port = Number(tcp ?? udp);
  return port > 0 && port < 65_536;
}

function isHost(kind: string, host: string): boolean {
  if (kind === "ip4") return isIPv4Address(host) && isSomewhere(host);
  if (kind === "ip6") {
    return isIP(host) === 6 && !host.includes("%") && isSomewhere(host) &&
      (networkOf(host) !== ZEROS || distanceTo(host) === "machine");
  }
  try {
    return parseName(host) === host;
  } catch {
    return false; // A name that no resolver is to be asked for.
  }
}

function parses(text: string): boolean {
  try {
    multiaddr(text);
    return true;
  } catch {
    return false; // That it is none is all that counts.
  }
}
