/**
 * Who asks. A page in a browser can send requests to 127.0.0.1, and this API lets every page read the answers: it would learn
 * what the person in front of it has read. So a node that only its own machine can reach answers programs, and pages nothing.
 */
import { BlockList, isIP, isIPv6 } from "node:net";
import type { Context } from "hono";

/** How far away somebody is: on this machine, on a network like ours, or anywhere. */
export type Distance = "machine" | "network" | "world";

/** Headers that a reverse proxy adds: behind it may be anybody. */
const PASSED_ON = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** Addresses that mean something else on every network (RFC 1918, 3927, 6598, 4193, 4291). */
const PRIVATE = new BlockList();
for (
  const [net, bits] of [
    ["10.0.0.0", 8],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["169.254.0.0", 16],
    ["100.64.0.0", 10],
    ["fc00::", 7],
    ["fe80::", 10],
  ] as const
) PRIVATE.addSubnet(net, bits, isIPv6(net) ? "ipv6" : "ipv4");

/** Where no server tells who asks, that is whoever embeds the gateway. */
export function distanceOf(c: Context): Distance {
  const { client } = (c.env ?? {}) as { client?: string };
  const passedOn = PASSED_ON.some((name) => c.req.header(name) !== undefined);
  if (client === undefined) return passedOn ? "network" : "machine";
  const distance = distanceTo(client);
  return distance === "machine" && passedOn ? "network" : distance;
}

/**
 * Whether a script of a page asks, not a program: browsers say so by themselves, and no script can leave it out. A page of this
 * very address is one, too: every site that is read as a path has it.
 */
export function isPage(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  return c.req.header("origin") !== undefined || site !== undefined && site !== "none";
}

/** Whether the node has anything to say to this asker, or takes anything from it. */
export function isWelcome(c: Context): boolean {
  return distanceOf(c) !== "machine" || !isPage(c);
}

/** Whether a multiaddr is of any use to somebody who is so far away. */
export function reaches(address: string, from: Distance): boolean {
  const [, kind, host = ""] = address.split("/");
  const name = kind?.startsWith("dns");
  const at = name ? host === "localhost" ? "machine" : "world" : distanceTo(host);
  if (at === "machine") return from === "machine";
  return at === "world" || from !== "world";
}

function distanceTo(host: string): Distance {
  const ip = host.split("%", 1)[0]!; // An interface may follow a link-local address.
  if (isIP(ip) === 0) return "world";
  const version = isIPv6(ip) ? "ipv6" : "ipv4";
  if (LOOPBACK.check(ip, version)) return "machine";
  return PRIVATE.check(ip, version) ? "network" : "world";
}
