/** Errors as HTTP: a page for people, a line for programs, and nothing about this machine for either. */
import type { Context } from "hono";
import { isAbort } from "../src/abort.ts";
import { NethoodError } from "../src/errors.ts";
import { printable } from "../src/printable.ts";
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
  const failure = explain(error, log);
  return await failureResponse(c, failure, {
    ...cors,
    "Cache-Control": "no-store",
    ...(failure.status >= 502 && { "Retry-After": String(RETRY_AFTER_S) }),
  });
}

/** What went wrong, and what to do next. */
export interface Failure {
  status: number;
  message: string;
  hint: string;
}

/** A page where one is read, else a line: one, whatever the address that it quotes has in it. */
export async function failureResponse(
  c: Context,
  { status, ...failure }: Failure,
  headers: HeadersInit,
): Promise<Response> {
  const [message, hint] = [printable(failure.message), printable(failure.hint)];
  if (!c.req.header("accept")?.includes("text/html")) {
    return line(`${message} ${hint}`, status, headers);
  }
  return await page(errorPage(status, decoded(c.req.url), message, hint), status, headers);
}

/** What a client may be told. Whatever was not foreseen stays in the log. */
function explain(error: unknown, log: (line: string) => void): Failure {
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
