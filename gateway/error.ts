/** Errors as HTTP: a page for people, a line for programs, and nothing about this machine for either. */
import type { Context } from "hono";
import { isAbort, NethoodError } from "../src/errors.ts";
import { cors } from "./headers.ts";
import { errorPage } from "./pages/error.ts";
import { line, page } from "./reply.ts";

/** What a client is told when it left before the answer (nginx's 499): nobody reads it. */
const CLIENT_LEFT = 499;

/** How long a client should wait before it asks again where that may help, in seconds. */
const RETRY_AFTER_S = 10;

/** Codes whose message is about this machine, and may name its folders. */
const INWARD = ["DIR_LOCKED", "DIR_UNWRITABLE", "DIR_TOO_NEW", "DISK_FULL", "BAD_SITE", "STOPPED"];

export async function errorResponse(
  error: unknown,
  c: Context,
  log: (line: string) => void,
): Promise<Response> {
  if (c.req.raw.signal.aborted) return new Response(null, { status: CLIENT_LEFT });
  const { status, message, hint } = explain(error, log);
  const headers = {
    ...cors,
    "Cache-Control": "no-store",
    ...(status >= 502 && { "Retry-After": String(RETRY_AFTER_S) }),
  };
  if (!c.req.header("accept")?.includes("text/html")) {
    return line(`${message} ${hint}`, status, headers);
  }
  return await page(errorPage(status, decoded(c.req.url), message, hint), status, headers);
}

interface Explained {
  status: number;
  message: string;
  hint: string;
}

/** What a client may be told. Whatever was not foreseen stays in the log. */
function explain(error: unknown, log: (line: string) => void): Explained {
  if (error instanceof NethoodError) {
    const { code, status, message, hint } = error;
    if (!INWARD.includes(code)) return { status, message, hint: hint ?? usualHint(status) };
    log(`${message}${hint ? ` ${hint}` : ""}`);
    return { status, message: "This node cannot read or keep anything now.", hint: SEE_LOG };
  }
  if (isAbort(error)) {
    return { status: 504, message: "This took too long and was given up.", hint: "Try it again." };
  }
  log(`unexpected: ${error instanceof Error ? error.stack : error}`);
  return { status: 500, message: "Something went wrong inside this node.", hint: SEE_LOG };
}

const SEE_LOG = "Whoever runs this node finds the reason in its log.";

/** What helps where an error has no better idea. */
function usualHint(status: number): string {
  return status < 500
    ? "Check the address, or begin at the site's first page."
    : "Try it again later, or tell whoever publishes the site.";
}

function decoded(url: string): string {
  try {
    return decodeURI(url).slice(0, 300);
  } catch {
    // Broken percent-encoding is shown as it came.
    return url.slice(0, 300);
  }
}
