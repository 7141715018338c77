/** The headers that say what a response is, how long it holds, and where it came from. */
import type { DocumentEntry, Found } from "../src/content/read.ts";
import type { Resolved } from "../src/name/resolve.ts";

/** What a client may do: content is read, not changed. */
export const METHODS = "GET, HEAD, OPTIONS";

/** Content is public: a page of any origin may read it (path-gateway, "CORS"). */
export const cors: Record<string, string> = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": METHODS,
  "Access-Control-Allow-Headers": "Content-Type, Range, User-Agent, X-Requested-With",
};

/** A CID never means anything else: a year, less a month for caches that object (path-gateway, "Cache-Control"). */
const IMMUTABLE = "public, max-age=29030400, immutable";

/** A listing is made by us and may look better tomorrow, though its folder never changes. */
const LISTING = "public, max-age=604800, stale-while-revalidate=2678400";

/** Raised when the listing's HTML changes. */
const LISTING_VERSION = 2;

/** Raised when the HTML of a document's page changes. */
const DOCUMENT_VERSION = 1;

/** @param path the canonical address as it was asked for, before an index.html was looked for */
export function contentHeaders(
  path: string,
  resolved: Resolved,
  entry: Found,
  generated = false,
): Headers {
  return new Headers({
    ...cors,
    ...freshness(resolved, generated ? LISTING : IMMUTABLE),
    ETag: generated ? `"DirIndex-${LISTING_VERSION}_CID-${entry.cid}"` : `"${entry.cid}"`,
    "X-Ipfs-Path": path,
    "X-Ipfs-Roots": entry.roots.join(","),
    "Access-Control-Expose-Headers":
      "Content-Length, Content-Range, ETag, X-Ipfs-Path, X-Ipfs-Roots",
  });
}

/** The headers of a document's page. */
export function documentHeaders(path: string, resolved: Resolved, entry: DocumentEntry): Headers {
  const headers = contentHeaders(path, resolved, entry, true);
  headers.set("ETag", `"DagIndex-${DOCUMENT_VERSION}_CID-${entry.cid}"`);
  headers.set("Vary", "Accept");
  return headers;
}

/** How long an answer holds: as long as every name on the way to it. */
export function freshness(
  { stale, ttl }: Resolved,
  immutable: string = IMMUTABLE,
): Record<string, string> {
  if (stale) {
    return {
      "Cache-Control": "no-cache",
      "Cache-Status": 'nethood; hit; detail="the name could not be looked up now"',
    };
  }
  return { "Cache-Control": ttl === undefined ? immutable : `public, max-age=${ttl}` };
}
