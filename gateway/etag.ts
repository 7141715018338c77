/** Entity tags (RFC 9110, section 8.8.3 and 13.1.2). */
import type { Context } from "hono";

/** The answer to who has it already. */
export function unchanged(c: Context, headers: Headers): Response | undefined {
  if (!matches(c.req.header("if-none-match"), headers.get("ETag")!)) return undefined;
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
