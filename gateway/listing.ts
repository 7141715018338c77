/** A folder without an index.html as HTTP: a page with links to what is in it. */
import type { Context } from "hono";
import { type Address, formatAddress } from "../src/content/address.ts";
import type { DirectoryEntry } from "../src/content/read.ts";
import type { Link } from "../src/content/unixfs.ts";
import type { Resolved } from "../src/name/resolve.ts";
import { matches } from "./etag.ts";
import { contentHeaders } from "./headers.ts";
import { listingPage } from "./pages/listing.ts";
import { page } from "./reply.ts";

/** Entries shown of a folder; reading on would make a stranger's huge folder our work. */
const MAX_LISTED = 10_000;

export async function listingResponse(
  c: Context,
  address: Address,
  isolated: boolean,
  { entry, resolved }: { entry: DirectoryEntry; resolved: Resolved },
  signal: AbortSignal,
): Promise<Response> {
  const headers = contentHeaders(`${formatAddress(address)}/`, resolved, entry, true);
  if (matches(c.req.header("if-none-match"), headers.get("ETag")!)) {
    return new Response(null, { status: 304, headers });
  }
  const links: Link[] = [];
  let cut = false;
  for await (const link of entry.entries({ signal })) {
    cut = links.length === MAX_LISTED;
    if (cut) break;
    links.push(link);
  }
  return await page(
    listingPage({ address, isolated, cid: String(entry.cid), links, cut }),
    200,
    headers,
  );
}
