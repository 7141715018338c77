/** The headers that say what a response is, how long it holds, and where it came from. */
import type { Address } from "../src/content/address.ts";
import type { Entry } from "../src/content/read.ts";
import type { Resolved } from "../src/name/resolve.ts";

/** A CID never means anything else: a year, less a month for caches that object (path-gateway, "Cache-Control"). */
const IMMUTABLE = "public, max-age=29030400, immutable";

/** A listing is made by us and may look better tomorrow, though its folder never changes. */
const LISTING = "public, max-age=604800, stale-while-revalidate=2678400";

/** Raised when the listing's HTML changes. */
const LISTING_VERSION = 1;

export function contentHeaders(
  address: Address,
  resolved: Resolved,
  entry: Entry,
  generated = false,
): Headers {
  const headers = new Headers({
    ETag: generated ? `"DirIndex-${LISTING_VERSION}_CID-${entry.cid}"` : `"${entry.cid}"`,
    "X-Ipfs-Path": `/${
      [address.namespace, address.root, ...address.path].map(encodeURIComponent).join("/")
    }`,
    "X-Ipfs-Roots": entry.roots.join(","),
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Range, User-Agent, X-Requested-With",
    "Access-Control-Expose-Headers":
      "Content-Length, Content-Range, ETag, X-Ipfs-Path, X-Ipfs-Roots",
  });
  if (resolved.stale) {
    headers.set("Cache-Control", "no-cache");
    headers.set("Cache-Status", 'nethood; hit; detail="the name could not be looked up now"');
  } else if (resolved.ttl !== undefined) {
    headers.set("Cache-Control", `public, max-age=${resolved.ttl}`);
  } else headers.set("Cache-Control", generated ? LISTING : IMMUTABLE);
  return headers;
}
