/** IP addresses: how far away they are, and which belong together. */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";

/** On this machine, on a network like ours, or anywhere. */
export type Distance = "machine" | "network" | "world";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** Addresses that mean something else on every network (RFC 1918, 3927, 6598, 4193, 4291). */
const PRIVATE = blockList(
  ["10.0.0.0", 8], // As in distanceTo: for those in the form of IPv6.
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
  ["fc00::", 7],
  ["fe80::", 10],
);

/** IPv6 addresses at which nobody is: groups, and IPv4 in other clothes (RFC 6890). */
const NOBODY = blockList(
  ["::", 128],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2002::", 16],
  ["2001::", 32],
  ["ff00::", 8],
);

/** How much of an IPv6 address its network is, in bits: what a home gets. */
const NETWORK_BITS = 56;

/** @param host an IP address, or a name */
export function distanceTo(host: string): Distance {
  const [a, b] = bytesOf(host);
  // For every address of every announce: a list of the system's takes a hundred times as long.
  if (a !== undefined && b !== undefined) {
    if (a === 127) return "machine";
    const isPrivate = a === 10 || a === 172 && b >= 16 && b < 32 || a === 192 && b === 168 ||
      a === 169 && b === 254 || a === 100 && b >= 64 && b < 128;
    return isPrivate ? "network" : "world";
  }
  if (isIP(host.split("%", 1)[0]!) === 0) return "world";
  if (includes(LOOPBACK, host)) return "machine";
  return includes(PRIVATE, host) ? "network" : "world";
}

/** Whether a list has an address. One of IPv4 addresses knows them in their IPv6 form, too. */
export function includes(list: BlockList, client = ""): boolean {
  const address = client.split("%", 1)[0]!; // An interface may follow a link-local address.
  return isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** Whether somebody can be at an IP address. */
export function isSomewhere(ip: string): boolean {
  const [a, b, c] = bytesOf(ip);
  if (a !== undefined) {
    return a !== 0 && a < 224 && !(a === 192 && b === 0 && c === 0) &&
      !(a === 198 && (b === 18 || b === 19));
  }
  return isIP(ip) !== 0 && !includes(NOBODY, ip);
}

/** Whether a text is an IPv4 address in its own form. */
export function isIPv4Address(text: string): boolean {
  return bytesOf(text).length > 0;
}

/** The numbers of an IPv4 address in its own form; none of any other text. */
function bytesOf(text: string): number[] {
  // One address is asked about several times in a row.
  if (text !== last.text) last = { text, bytes: isIPv4(text) ? text.split(".").map(Number) : [] };
  return last.bytes;
}

let last: { text: string; bytes: number[] } = { text: "", bytes: [] };

/** An address as it is compared: IPv4 in its own form also where a socket has it in that of IPv6, and no interface. */
export function plain(ip: string): string {
  const [address] = ip.split("%", 1) as [string];
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** The network that an address is in: a `/24` of IPv4, a `/56` of IPv6. Who has one address there has them all. */
export function networkOf(ip: string): string {
  const address = plain(ip);
  if (isIP(address) !== 6) return address.slice(0, address.lastIndexOf("."));
  const [head = "", tail] = address.toLowerCase().split("::") as [string, string?];
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  // Where zeros were left out, as many as there is room for.
  while (groups.length + after.length < 8 && tail !== undefined) groups.push("0");
  const digits = [...groups, ...after].map((group) => group.padStart(4, "0")).join("");
  return digits.slice(0, NETWORK_BITS / 4);
}

function blockList(...subnets: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [net, bits] of subnets) list.addSubnet(net, bits, isIPv6(net) ? "ipv6" : "ipv4");
  return list;
}
