/** The routes of Delegated Routing V1, over whatever knows something. */
import type { PeerId } from "@libp2p/interface";
import { type Context, Hono } from "hono";
import type { CID } from "multiformats/cid";
import { parseCid } from "../../src/content/address.ts";
import { errorResponse } from "../error.ts";
import { line } from "../reply.ts";
import { recordsResponse } from "./answer.ts";
import type { PeerRecord } from "./filter.ts";
import { getRecord, type Names, putRecord } from "./ipns.ts";
import { parsePeerId } from "./peers.ts";

/** Records, or the same as JSON. */
export interface Found {
  records: PeerRecord[] | string[];
  /** Whether others may be given the same answer. */
  shared: boolean;
}

/** What knows who has it, and where they are. An answer of its own is a refusal. */
export interface Source {
  providers(c: Context, cid: CID): Promise<Found | Response>;
  peer(c: Context, id: PeerId): Promise<Found | Response>;
  /** Peers nearest to a CID or a peer ID; not there: this is in no DHT. */
  closest?(c: Context, multihash: Uint8Array): Promise<Found>;
  names(c: Context): Names;
  /** Whether records are taken from this client. */
  takes(c: Context): boolean;
}

/** Every page may ask (http-routing-v1, "CORS and Web Browsers"); what it is told is another matter. */
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, PUT, OPTIONS",
  "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
  "Access-Control-Expose-Headers": "ETag",
};

/** What is understood where a method other than the listed ones is used. */
const PATHS = ["/providers/:cid", "/providers", "/peers/:id", "/ipns/:name"];

export function createRoutes(source: Source, log: (line: string) => void): Hono {
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
    return answer(c, "Providers", await source.providers(c, cid));
  });
  app.get("/peers/:id", async (c) => {
    const id = parsePeerId(c.req.param("id"));
    if (id === undefined) return unreadable("a peer ID");
    return answer(c, "Peers", await source.peer(c, id));
  });
  app.get("/ipns/:name", (c) => getRecord(c, source.names(c)));
  app.put("/ipns/:name", (c) => {
    if (source.takes(c)) return putRecord(c, source.names(c));
    return line("This node takes no records from pages, only from programs.", 403);
  });
  app.get("/dht/closest/peers/:key", async (c) => {
    if (source.closest === undefined) return line("This node is in no DHT.", 501);
    const key = c.req.param("key");
    const multihash = (tryParse(key) ?? parsePeerId(key)?.toCID())?.multihash.bytes;
    if (multihash === undefined) return unreadable("a CID or a peer ID");
    return answer(c, "Peers", await source.closest(c, multihash));
  });
  app.all("/dht/closest/peers/:key", () => line("This node is in no DHT.", 501));
  for (const path of PATHS) app.all(path, () => line("This is not done here.", 501));
  app.all("*", () => line("There are /providers/<cid>, /peers/<id> and /ipns/<name> here.", 400));
  return app;
}

function answer(c: Context, what: "Providers" | "Peers", found: Found | Response): Response {
  return found instanceof Response ? found : recordsResponse(c, what, found.records, found.shared);
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
