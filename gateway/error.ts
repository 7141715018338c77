/** Errors as HTTP: a page for people, a line for programs, and nothing about this machine for either. */
import type { Context } from "hono";
import { isAbort, NethoodError } from "../src/errors.ts";
import { errorPage } from "./pages/error.ts";

/** What a client is told when it left before the answer (nginx's 499): nobody reads it. */
const CLIENT_LEFT = 499;

/** How long a client should wait before it asks again where that may help, in seconds. */
const RETRY_AFTER_S = 10;

export function errorResponse(
  error: unknown,
  c: Context,
  log: (line: string) => void,
): Response | Promise<Response> {
  const known = error instanceof NethoodError ? error : undefined;
  if (!known && isAbort(error, c.req.raw.signal)) {
    return new Response(null, { status: CLIENT_LEFT });
  }
  const status = known?.status ?? 500;
  // Whatever was not foreseen stays in the log: its text may name folders of this machine.
  if (!known) log(`unexpected: ${error instanceof Error ? error.stack : error}`);
  const message = known?.message ?? "Something went wrong inside this node.";
  const hint = known ? known.hint : "Its log says more; please report it.";
  c.header("Cache-Control", "no-store");
  if (status >= 502) c.header("Retry-After", String(RETRY_AFTER_S));
  c.status(status as 500);
  if (!c.req.header("accept")?.includes("text/html")) {
    return c.text(`${message}${hint ? ` ${hint}` : ""}\n`);
  }
  return c.html(errorPage(status, decoded(c.req.url), message, hint));
}

function decoded(url: string): string {
  try {
    return decodeURI(url).slice(0, 300);
  } catch {
    // Broken percent-encoding is shown as it came.
    return url.slice(0, 300);
  }
}
