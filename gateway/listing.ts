/** A folder without an index.html as HTTP: a page with links to what is in it. */
import type { Context } from "hono";
import { formatAddress } from "../src/content/address.ts";
import type { DirectoryEntry } from "../src/content/read.ts";
import type { Link } from "../src/content/unixfs.ts";
import type { Resolved } from "../src/name/resolve.ts";
import { unchanged } from "./etag.ts";
import { listingHeaders } from "./headers.ts";
import { languageOf } from "./language.ts";
import { listingPage, type Place } from "./pages/listing.ts";
import { page } from "./reply.ts";
import type { Asked, ContentTarget } from "./request.ts";

/** Entries shown of a folder; reading on would make a stranger's huge folder our work. */
const MAX_LISTED = 10_000;

export async function listingResponse(
  c: Context,
  asked: Asked,
  to: ContentTarget,
  { entry, resolved }: { entry: DirectoryEntry; resolved: Resolved },
  signal: AbortSignal,
): Promise<Response> {
  const { address } = to;
  const language = languageOf(c.req.header("accept-language"));
  const headers = listingHeaders(`${formatAddress(address)}/`, resolved, entry, language);
  const same = unchanged(c, headers);
  if (same) return same;
  const links: Link[] = [];
  let cut = false;
  for await (const link of entry.entries({ signal })) {
    cut = links.length === MAX_LISTED;
    if (cut) break;
    links.push(link);
  }
  const { cid } = entry;
  return await page(
    listingPage({ address, place: placeOf(asked, to), cid, links, cut }, language),
    200,
    headers,
  );
}

function placeOf({ name, port }: Asked, { isolated, gateway }: ContentTarget): Place {
  if (!isolated) return { kind: "path" };
  if (gateway !== undefined) return { kind: "subdomain", gateway };
  return { kind: "site", host: name + port };
}
