/**
 * Who asks. A page in a browser can send requests to 127.0.0.1, and this API lets every page read the answers: it would learn
 * what the person in front of it has read. So a node that only its own machine can reach answers programs, and pages nothing.
 */
import type { Context } from "hono";
import { type Distance, distanceTo } from "../../src/routing/network.ts";
import { distanceOf } from "../distance.ts";

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
