/** Content as HTTP: a file, a folder's index.html, or its listing. */
import type { Context } from "hono";
import { type Address, formatAddress } from "../src/content/address.ts";
import { NethoodError } from "../src/errors.ts";
import type { Node } from "../src/node.ts";
import type { GatewayNode } from "./app.ts";
import { fileResponse } from "./file.ts";
import { documentResponse } from "./formats/document.ts";
import { formatResponse } from "./formats/format.ts";
import { onlyIfCached } from "./formats/negotiate.ts";
import { freshness } from "./headers.ts";
import { listingResponse } from "./listing.ts";
import { redirect } from "./reply.ts";
import { type Asked, withSlash } from "./request.ts";

/** What the gateway needs of a node. */
export type Content = Pick<Node, "open">;

export async function contentResponse(
  c: Context,
  content: GatewayNode,
  asked: Asked,
  { address, isolated }: { address: Address; isolated: boolean },
  log: (line: string) => void,
): Promise<Response> {
  const client = clientOf(c.req.raw);
  const { signal } = client;
  const path = formatAddress(address) + (asked.path.endsWith("/") ? "/" : "");
  refuseWorker(c, address, isolated);
  const formatted = await formatResponse(c, content, asked, address, client, log);
  if (formatted !== undefined) return formatted;
  const local = onlyIfCached(c.req.header("cache-control"));
  const { entry, resolved } = await content.open(address, { signal, local });
  if (entry.kind === "document") {
    return await documentResponse(c, asked, { address, isolated }, { entry, resolved });
  }
  if (entry.kind !== "directory") {
    return fileResponse(
      c,
      { path, name: address.path.at(-1) ?? "" },
      { entry, resolved },
      client,
      log,
    );
  }
  if (!asked.path.endsWith("/")) return redirect(withSlash(asked), 301, freshness(resolved));
  const index = { ...address, path: [...address.path, "index.html"] };
  // Opened under its own address, for that is what is kept.
  const page = await content.open(index, { signal, local }).catch(absent);
  if (page?.entry.kind === "file" || page?.entry.kind === "symlink") {
    return fileResponse(
      c,
      { path, name: "index.html" },
      { ...page, entry: page.entry },
      client,
      log,
    );
  }
  return await listingResponse(c, address, isolated, { entry, resolved }, signal);
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

function absent(error: unknown): undefined {
  if (error instanceof NethoodError && error.code === "NOT_FOUND") return undefined;
  throw error;
}
