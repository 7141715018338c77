/** Content as HTTP: a file, a folder's index.html, its listing, or what the site shows in place of what it does not have. */
import type { Context } from "hono";
import { type Address, formatAddress } from "../src/content/address.ts";
import type { DirectoryEntry, DocumentEntry, Entry } from "../src/content/read.ts";
import { NethoodError } from "../src/errors.ts";
import { excerpt } from "../src/printable.ts";
import type { Resolved } from "../src/name/resolve.ts";
import type { Node, Opened } from "../src/node.ts";
import type { GatewayNode } from "./app.ts";
import { fileResponse, type Served } from "./file.ts";
import { documentResponse } from "./formats/document.ts";
import { formatResponse } from "./formats/format.ts";
import { onlyIfCached } from "./formats/negotiate.ts";
import { cors, freshness } from "./headers.ts";
import { listingResponse } from "./listing.ts";
import { withPatience } from "./patience.ts";
import { createRedirects } from "./redirects.ts";
import { createSiteHeaders } from "./site-headers.ts";
import { redirect } from "./reply.ts";
import { type Asked, type ContentTarget, withSlash } from "./request.ts";

/** What the gateway needs of a node. */
export type Content = Pick<Node, "open">;

export interface ContentOptions {
  log: (line: string) => void;
  /** How long a reader waits for the first byte before a 504, in milliseconds. Default: 60,000. */
  patience?: number | undefined;
}

/** Answers requests for content. @throws {NethoodError} as `Node.open`, BAD_ADDRESS, BAD_REDIRECTS, TIMEOUT */
export type ContentHandler = (c: Context, asked: Asked, to: ContentTarget) => Promise<Response>;

const PATIENCE_MS = 60_000;

const INDEX = "index.html";

/** How content is opened for one request. */
type Options = { signal: AbortSignal; local: boolean };

export function createContent(
  node: GatewayNode,
  { log, patience = PATIENCE_MS }: ContentOptions,
): ContentHandler {
  const redirects = createRedirects(node);
  const siteHeaders = createSiteHeaders(node, { log });

  return (c, asked, to) => {
    const client = clientOf(c.req.raw);
    const late = () => tooLate(to.address, patience, node.peers.length);
    return withPatience(answer(c, asked, to, client), { patience, client, late });
  };

  async function answer(
    c: Context,
    asked: Asked,
    to: ContentTarget,
    client: AbortController,
  ): Promise<Response> {
    const { address, isolated } = to;
    refuseWorker(c, address, isolated);
    const formatted = await formatResponse(c, node, asked, address, client, log);
    if (formatted !== undefined) return formatted;
    const options: Options = {
      signal: client.signal,
      local: onlyIfCached(c.req.header("cache-control")),
    };
    let opened: Opened;
    try {
      opened = await node.open(address, options);
    } catch (error) {
      // A site on an origin that it shares with others may not lead their readers anywhere.
      if (!isolated || !isAbsent(error)) throw error;
      const elsewhere = await elsewhereResponse(c, asked, address, client, options);
      if (elsewhere === undefined) throw error;
      return elsewhere;
    }
    const { entry, resolved } = opened;
    if (entry.kind === "document") {
      return await documentResponse(c, asked, to, { entry, resolved });
    }
    if (entry.kind === "directory" && !asked.path.endsWith("/")) {
      return redirect(withSlash(asked), 301, { ...cors, ...freshness(resolved) });
    }
    const path = formatAddress(address) + (asked.path.endsWith("/") ? "/" : "");
    const shown = await shownAt(address, path, { entry, resolved }, options);
    // Where sites share an origin, none of them may say what holds for its pages.
    const added = isolated ? await siteHeaders(asked, address, opened, options) : undefined;
    return "entry" in shown
      ? await fileResponse(c, { ...shown, ...(added && { added }) }, client, log)
      : await listingResponse(c, asked, to, { entry: shown, resolved }, client.signal);
  }

  /** What the site's `_redirects` says of a path that it does not have. */
  async function elsewhereResponse(
    c: Context,
    asked: Asked,
    address: Address,
    client: AbortController,
    options: Options,
  ): Promise<Response | undefined> {
    const found = await redirects(address, asked, options);
    if (found === undefined) return undefined;
    if (found.kind === "redirect") {
      const { location, status, resolved } = found;
      return redirect(location, status, { ...cors, ...freshness(resolved) });
    }
    // Not by way of the rules again: one that leads to what is not there would go round in a circle.
    const { entry, resolved } = await node.open(found.address, options);
    if (entry.kind === "document") return undefined;
    const path = formatAddress(found.address);
    const shown = await shownAt(found.address, path, { entry, resolved }, options);
    if (!("entry" in shown)) return undefined; // A list of files is no page of the site.
    // What was asked for is what its rules are about, as it is for the rules of `_redirects`.
    const added = await siteHeaders(asked, address, { ...shown, of: found.address }, options);
    return await fileResponse(c, { ...shown, status: found.status, added }, client, log);
  }

  /** The file that is to be sent for an address, a folder's index.html among them; or a folder that has none. */
  async function shownAt(
    address: Address,
    path: string,
    { entry, resolved }: { entry: Exclude<Entry, DocumentEntry>; resolved: Resolved },
    options: Options,
  ): Promise<Served | DirectoryEntry> {
    if (entry.kind !== "directory") {
      return { path, name: address.path.at(-1) ?? "", entry, resolved };
    }
    try {
      // Opened under its own address, for that is what is kept.
      const page = await node.open({ ...address, path: [...address.path, INDEX] }, options);
      if (page.entry.kind === "directory" || page.entry.kind === "document") return entry;
      return { ...page, entry: page.entry, path, name: INDEX, folder: entry };
    } catch (error) {
      if (isAbsent(error)) return entry;
      throw error;
    }
  }
}

/** Aborted when whoever asked has left; a server's own signal may carry a reason that is no error. */
function clientOf({ signal }: Request): AbortController {
  const client = new AbortController();
  const leave = () => client.abort(new DOMException("The client has left.", "AbortError"));
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
  return client;
}

/**
 * A service worker takes charge of the folder that it lies in. At `/ipns/<name>`, without a slash, that would be every site
 * of this origin (path-gateway specification, "Service-Worker").
 */
function refuseWorker(c: Context, { path }: Address, isolated: boolean): void {
  if (isolated || path.length > 0 || c.req.header("service-worker") !== "script") return;
  throw new NethoodError("BAD_ADDRESS", "A service worker cannot be a whole site.", {
    hint: "Put its script into a folder of the site.",
  });
}

function isAbsent(error: unknown): boolean {
  return error instanceof NethoodError && error.code === "NOT_FOUND";
}

function tooLate(address: Address, patience: number, peers: number): NethoodError {
  const asked = peers === 0
    ? "No neighbour is connected that could have it"
    : `Not on this machine, and ${peers === 1 ? "the one neighbour" : `the ${peers} neighbours`} ` +
      "that were asked did not send it";
  return new NethoodError(
    "TIMEOUT",
    `${excerpt(formatAddress(address))} was looked for and nothing came within ${
      patience / 1000
    } seconds. ${asked}.`,
    { hint: "Try again in a while, or when someone who has it is online." },
  );
}
