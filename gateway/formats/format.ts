/** Answers in other forms than a page: a block, a CAR, a TAR, a record. Which one, the request says. */
import type { Context } from "hono";
import type { GatewayNode } from "../app.ts";
import { type Address, formatAddress } from "../../src/content/address.ts";
import { NethoodError } from "../../src/errors.ts";
import type { Located, Node } from "../../src/node.ts";
import type { Resolved } from "../../src/name/resolve.ts";
import type { Found } from "../../src/content/read.ts";
import { contentHeaders } from "../headers.ts";
import { type Asked, withQuery } from "../request.ts";
import { carResponse } from "./car.ts";
import { disposition } from "./disposition.ts";
import { documentFormatted } from "./document.ts";
import { type Format, MEDIA_TYPES, negotiate, onlyIfCached, type Wanted } from "./negotiate.ts";
import { rawResponse } from "./raw.ts";
import { recordResponse } from "./record.ts";
import { tarResponse } from "./tar.ts";

/** What these answers need of a node. */
export type Formats = Pick<Node, "locate" | "names">;

/** One request, as every form reads it. */
export interface Ask {
  c: Context;
  node: GatewayNode;
  address: Address;
  query: URLSearchParams;
  wanted: Wanted & { format: Format };
  /** The answer's own URL, where `Accept` decided what it is (path-gateway specification, "Content-Location"). */
  location: string | undefined;
  local: boolean;
  client: AbortController;
  log: (line: string) => void;
}

/** The answer in the form that was asked for; undefined where that is the content itself, as a browser shows it. */
export async function formatResponse(
  c: Context,
  node: GatewayNode,
  asked: Asked,
  address: Address,
  client: AbortController,
  log: (line: string) => void,
): Promise<Response | undefined> {
  const query = new URLSearchParams(asked.query);
  const wanted = negotiate(query, c.req.header("accept"));
  if (wanted === undefined || wanted.format === "html") return undefined;
  const { format } = wanted;
  const ask: Ask = {
    c,
    node,
    address,
    query,
    wanted: { ...wanted, format },
    location: wanted.byAccept ? withQuery(asked, `format=${format}`) : undefined,
    local: onlyIfCached(c.req.header("cache-control")),
    client,
    log,
  };
  switch (format) {
    case "raw":
      return await rawResponse(ask);
    case "car":
      return await carResponse(ask);
    case "tar":
      return await tarResponse(ask);
    case "ipns-record":
      return await recordResponse(ask);
    default:
      return await documentFormatted(ask);
  }
}

/** Where an address leads; what nobody has does not exist, for who asks for blocks (trustless-gateway, "404"). */
export async function locate({ node, address, local, client }: Ask): Promise<Located> {
  return await node.locate(address, { signal: client.signal, local }).catch(absent);
}

/** @throws {NethoodError} NOT_FOUND in place of NO_PROVIDERS */
export function absent(error: unknown): never {
  if (error instanceof NethoodError && error.code === "NO_PROVIDERS") {
    const { message, hint } = error;
    throw new NethoodError("NOT_FOUND", message, { cause: error, ...(hint && { hint }) });
  }
  throw error;
}

/** The headers that all forms have; `etag` with its quotes. */
export function formatHeaders(
  { address, query, location }: Pick<Ask, "address" | "query" | "location">,
  format: Format,
  { found, resolved }: { found: Found; resolved: Resolved },
  etag: string,
  usual: Parameters<typeof disposition>[1],
): Headers {
  const headers = contentHeaders(formatAddress(address), resolved, found);
  headers.set("ETag", etag);
  headers.set("Content-Type", MEDIA_TYPES[format]);
  headers.set("X-Content-Type-Options", "nosniff");
  const saved = disposition(query, usual);
  if (saved !== undefined) headers.set("Content-Disposition", saved);
  if (location !== undefined) {
    headers.set("Content-Location", location);
    headers.set("Vary", "Accept");
  }
  return headers;
}
