/**
 * Delegated Routing V1 (specs.ipfs.tech/routing/http-routing-v1): what this node knows, for programs that ask. It asks others
 * only for IPNS records. A node that is private, because only its own machine can reach it, tells pages in browsers nothing of
 * itself and takes nothing from them; one that serves others (`--host`) answers everybody, as it would over bitswap.
 */
import type { Context, Hono } from "hono";
import type { Node } from "../src/node.ts";
import { distanceOf } from "./distance.ts";
import { isWelcome } from "./routing/asker.ts";
import { type Known, peer, providers } from "./routing/peers.ts";
import { createRoutes, type Found } from "./routing/routes.ts";

/** What the routing API needs of a node. */
export type Routing = Known & Pick<Node, "names">;

export function createRouting(node: Routing, log: (line: string) => void): Hono {
  const found = async (c: Context, find: () => Promise<Found["records"]>): Promise<Found> => ({
    records: isWelcome(c) ? await find() : [],
    shared: distanceOf(c) !== "machine",
  });
  return createRoutes({
    providers: (c, cid) => found(c, () => providers(node, cid, distanceOf(c), options(c))),
    peer: (c, id) => found(c, () => peer(node, id, distanceOf(c), options(c))),
    names: () => node.names,
    takes: isWelcome,
  }, log);
}

function options(c: Context): { signal: AbortSignal } {
  return { signal: c.req.raw.signal };
}
