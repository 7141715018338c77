/**
 * Delegated Routing V1 (specs.ipfs.tech/routing/http-routing-v1): what this node knows, for programs that ask. It asks others
 * only for IPNS records. A node that is private, because only its own machine can reach it, tells pages in browsers nothing of
 * itself and takes nothing from them; one that serves others (`--host`) answers everybody, as it would over bitswap.
 */
import { type Context, Hono } from "hono";
import type { CID } from "multiformats/cid";
import { parseCid } from "../src/content/address.ts";
import { errorResponse } from "./error.ts";
import { line } from "./reply.ts";
import { recordsResponse } from "./routing/answer.ts";
import { distanceOf } from "./distance.ts";
import { isWelcome } from "./routing/asker.ts";
import { getRecord, putRecord } from "./routing/ipns.ts";
import { type Known, parsePeerId, peer, providers } from "./routing/peers.ts";
import type { Node } from "../src/node.ts";

/** What the routing API needs of a node. */
export type Routing = Known & Pick<Node, "names">;

/** Every page may ask (http-routing-v1, "CORS and Web Browsers"); what it is told is another matter. */
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, PUT, OPTIONS",
  "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
  "Access-Control-Expose-Headers": "ETag",
};

/** What is understood where a method other than the listed ones is used. */
const PATHS = ["/providers/:cid", "/providers", "/peers/:id", "/ipns/:name"];

export function createRouting(node: Routing, log: (line: string) => void): Hono {
  const app = new Hono().basePath("/routing/v1");
  app.onError((error, c) => errorResponse(error, c, log));
  app.use("*", async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(CORS)) c.res.headers.set(name, value);
  });
  app.options("*", () => new Response(null, { status: 204 }));

  app.get("/providers/:cid", async (c) => {
    const cid = tryParse(c.req.param("cid"));
    if (cid === undefined) return unreadable("a CID");
    return await answer(c, "Providers", (options) => providers(node, cid, distanceOf(c), options));
  });
  app.get("/peers/:id", async (c) => {
    const id = parsePeerId(c.req.param("id"));
    if (id === undefined) return unreadable("a peer ID");
    return await answer(c, "Peers", (options) => peer(node, id, distanceOf(c), options));
  });
  app.get("/ipns/:name", (c) => getRecord(c, node));
  app.put("/ipns/:name", (c) => putRecord(c, node));
  app.all("/dht/closest/peers/:key", () => line("This node is in no DHT.", 501));
  for (const path of PATHS) app.all(path, () => line("This is not done here.", 501));
  app.all("*", () => line("There are /providers/<cid>, /peers/<id> and /ipns/<name> here.", 400));
  return app;
}

type Find = (options: { signal: AbortSignal }) => ReturnType<typeof peer>;

async function answer(c: Context, what: "Providers" | "Peers", find: Find): Promise<Response> {
  const found = isWelcome(c) ? await find({ signal: c.req.raw.signal }) : [];
  return recordsResponse(c, what, found, distanceOf(c) !== "machine");
}

function tryParse(text: string): CID | undefined {
  try {
    return parseCid(text);
  } catch {
    return undefined; // parseCid says no more than that.
  }
}

function unreadable(what: string): Response {
  return line(`This is not ${what}.`, 422);
}
