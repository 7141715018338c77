/** Entity tags (RFC 9110, section 8.8.3 and 13.1.2). */

/** Whether an `If-None-Match` names this tag: a list, weak tags alike, or `*`. */
export function matches(ifNoneMatch: string | null | undefined, etag: string): boolean {
  if (!ifNoneMatch) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return (ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) =>
    tag.replace(/^W\//, "") === etag.replace(/^W\//, "")
  );
}
