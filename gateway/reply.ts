/** Answers whose text is made here: pages, lines, and answers without any. HEAD gets their length too. */
import type { Html } from "./pages/page.ts";
import type { RedirectStatus } from "./redirects.ts";

/**
 * What our own pages may load: nothing. And what is text here stays text: an error line quotes what a stranger sent.
 * (Content goes without `nosniff`: sites rely on browsers that take a script without a known ending for a script.)
 */
const SAFE = {
  "Content-Security-Policy": policy("form-action 'none'"),
  "X-Content-Type-Options": "nosniff",
};

/** The policy of a page of ours, with what it allows beyond its own style. */
export function policy(...rest: string[]): string {
  return [
    "default-src 'none'",
    "style-src 'unsafe-inline'",
    "img-src data:",
    "base-uri 'none'",
    ...rest,
  ].join("; ");
}

export async function page(body: Html, status = 200, headers: HeadersInit = {}): Promise<Response> {
  return reply(String(await body), "text/html; charset=utf-8", status, headers);
}

export function line(text: string, status = 200, headers: HeadersInit = {}): Response {
  return reply(`${text}\n`, "text/plain; charset=utf-8", status, headers);
}

/** @param location where to go, in ASCII */
export function redirect(
  location: string,
  status: RedirectStatus,
  headers: HeadersInit = {},
): Response {
  const all = new Headers(headers);
  all.set("Location", location);
  all.set("Content-Length", "0");
  return new Response(null, { status, headers: all });
}

function reply(text: string, type: string, status: number, headers: HeadersInit): Response {
  const bytes = new TextEncoder().encode(text);
  const all = new Headers(SAFE);
  for (const [name, value] of new Headers(headers)) all.set(name, value);
  all.set("Content-Type", type);
  all.set("Content-Length", String(bytes.byteLength));
  return new Response(bytes, { status, headers: all });
}
