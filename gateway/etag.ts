/** Entity tags (RFC 9110, section 8.8.3 and 13.1.2). */
import type { Context } from "hono";

/** What answers a preflight, and tells who has the content already nothing. */
const OF_PREFLIGHT = ["Access-Control-Allow-Methods", "Access-Control-Allow-Headers"];

/** The answer to who has it already: what guides a cache, and lets a page read it (RFC 9110, section 15.4.5). */
export function unchanged(c: Context, headers: Headers): Response | undefined {
  if (!matches(c.req.header("if-none-match"), headers.get("ETag")!)) return undefined;
  for (const name of OF_PREFLIGHT) headers.delete(name);
  return new Response(null, { status: 304, headers });
}

/** Whether an `If-None-Match` names this tag: a list, weak tags alike, or `*`. */
export function matches(ifNoneMatch: string | null | undefined, etag: string): boolean {
  if (!ifNoneMatch) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return (ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) =>
    tag.replace(/^W\//, "") === etag.replace(/^W\//, "")
  );
}
