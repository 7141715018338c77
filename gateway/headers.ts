/** The headers that say what a response is, how long it holds, and where it came from. */
import type { DocumentEntry, Found } from "../src/content/read.ts";
import type { Language } from "./language.ts";
import type { Resolved } from "../src/name/resolve.ts";

/** What a client may do: content is read, not changed. */
export const METHODS = "GET, HEAD, OPTIONS";

/** Content is public: a page of any origin may read it (path-gateway, "CORS"). */
export const cors: Record<string, string> = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": METHODS,
  "Access-Control-Allow-Headers": "Content-Type, Range, User-Agent, X-Requested-With",
  "Access-Control-Expose-Headers":
    "Content-Length, Content-Range, ETag, X-Chunked-Output, X-Ipfs-Path, X-Ipfs-Roots, X-Stream-Output",
};

/** A CID never means anything else: a year, less a month for caches that object (path-gateway, "Cache-Control"). */
const IMMUTABLE = "public, max-age=29030400, immutable";

/** A page that is made by us may look better tomorrow, though what it shows never changes. */
const GENERATED = "public, max-age=604800, stale-while-revalidate=2678400";

/** Raised when the listing's HTML changes. */
const LISTING_VERSION = 3;

/** Raised when the HTML of a document's page changes. */
const DOCUMENT_VERSION = 1;

/** @param path the canonical address as it was asked for, before an index.html was looked for */
export function contentHeaders(
  path: string,
  resolved: Resolved,
  entry: Found,
): Headers {
  return new Headers({
    ...cors,
    ...freshness(resolved),
    ETag: `"${entry.cid}"`,
    "X-Ipfs-Path": path,
    "X-Ipfs-Roots": entry.roots.join(","),
  });
}

/** The same of a listing, of which there is one in each language. */
export function listingHeaders(
  path: string,
  resolved: Resolved,
  entry: Found,
  language: Language,
): Headers {
  const headers = generatedHeaders(path, resolved, entry);
  headers.set("ETag", `"DirIndex-${LISTING_VERSION}.${language}_CID-${entry.cid}"`);
  headers.set("Content-Language", language);
  headers.append("Vary", "Accept-Language");
  return headers;
}

/** The headers of a document's page. */
export function documentHeaders(path: string, resolved: Resolved, entry: DocumentEntry): Headers {
  const headers = generatedHeaders(path, resolved, entry);
  headers.set("ETag", `"DagIndex-${DOCUMENT_VERSION}_CID-${entry.cid}"`);
  headers.set("Vary", "Accept");
  return headers;
}

function generatedHeaders(path: string, resolved: Resolved, entry: Found): Headers {
  const headers = contentHeaders(path, resolved, entry);
  headers.set("Cache-Control", freshness(resolved, GENERATED)["Cache-Control"]!);
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
