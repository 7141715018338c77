/** How far away whoever asks is. It decides what they may see of the node itself, never what content they get. */
import type { Context } from "hono";
import { type Distance, distanceTo } from "../src/routing/network.ts";
import type { ServerTraits } from "./file.ts";

/** Headers by which a request tells that it came through somebody else; curl and browsers send none of them. */
const PASSED_ON = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

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
