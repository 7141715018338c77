/** How far away whoever asks is. It decides what they may see of the node itself, never what content they get. */
import { BlockList, isIP, isIPv6 } from "node:net";
import type { Context } from "hono";
import type { ServerTraits } from "./file.ts";

/** On this machine, on a network like ours, or anywhere. */
export type Distance = "machine" | "network" | "world";

/** Headers by which a request tells that it came through somebody else; curl and browsers send none of them. */
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

/** Where no server tells who asks, that is whoever embeds the gateway. Behind a reverse proxy may be anybody. */
export function distanceOf(c: Context): Distance {
  const client = clientOf(c);
  const passedOn = PASSED_ON.some((name) => c.req.header(name) !== undefined);
  const distance = client === undefined ? "machine" : distanceTo(client);
  return distance === "machine" && passedOn ? "network" : distance;
}

/** The address that the server names, never one from a header. */
export function clientOf(c: Context): string | undefined {
  return (c.env as ServerTraits | undefined)?.client;
}

/** @param host an IP address, or a name */
export function distanceTo(host: string): Distance {
  if (isIP(host.split("%", 1)[0]!) === 0) return "world";
  if (includes(LOOPBACK, host)) return "machine";
  return includes(PRIVATE, host) ? "network" : "world";
}

/** Whether a list has an address. One of IPv4 addresses knows them in their IPv6 form, too. */
export function includes(list: BlockList, client = ""): boolean {
  const address = client.split("%", 1)[0]!; // An interface may follow a link-local address.
  return isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
