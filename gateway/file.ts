/** A file as HTTP: the whole of it, or a range. */
import type { Context } from "hono";
import type { FileEntry, SymlinkEntry } from "../src/content/read.ts";
import { isAbort, NethoodError } from "../src/errors.ts";
import type { Resolved } from "../src/name/resolve.ts";
import { matches } from "./etag.ts";
import { disposition } from "./formats/disposition.ts";
import { contentHeaders } from "./headers.ts";
import { contentType, HEAD_BYTES } from "./mime.ts";
import { parseRange } from "./range.ts";
import { line } from "./reply.ts";
import { createBody } from "./body.ts";

/** What a server tells the gateway about itself, as Hono's `env`. */
export interface ServerTraits {
  /**
   * The server cuts the connection where a body is shorter than its `Content-Length`. Then a body that fails just ends, since
   * both servers we know would print the failure with its stack. Default: false, a body that fails is a stream that errors.
   */
  cutsShortBodies?: boolean;
  /** Cuts the connection. Default: a body without a length that fails is a stream that errors. */
  cut?: () => void;
}

/**
 * @param asked the canonical address as it was asked for, and the file's own name
 * @param client aborted when whoever asked has left
 */
export async function fileResponse(
  c: Context,
  asked: { path: string; name: string },
  { entry, resolved }: { entry: FileEntry | SymlinkEntry; resolved: Resolved },
  client: AbortController,
  log: (line: string) => void,
): Promise<Response> {
  const { signal } = client;
  const headers = contentHeaders(asked.path, resolved, entry);
  const etag = headers.get("ETag")!;
  if (matches(c.req.header("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  if (entry.kind === "symlink") return symlinkResponse(entry, headers);

  const ifRange = c.req.header("if-range");
  const range = ifRange && ifRange !== etag
    ? undefined
    : parseRange(c.req.header("range"), entry.size);
  const saved = disposition(new URLSearchParams(c.req.url.split("?")[1]), { kind: "inline" });
  if (saved !== undefined) headers.set("Content-Disposition", saved);
  headers.set("Accept-Ranges", "bytes");
  if (range === "unsatisfiable") {
    headers.set("Content-Range", `bytes */${entry.size}`);
    headers.set("Cache-Control", "no-store");
    return line(`The file has ${entry.size} bytes; the range begins past its end.`, 416, headers);
  }
  const { start, end } = range ?? { start: 0, end: entry.size };
  headers.set("Content-Length", String(end - start));
  if (range) headers.set("Content-Range", `bytes ${start}-${end - 1}/${entry.size}`);

  const bytes = entry.bytes(range, { signal });
  // The first bytes are awaited, so that content nobody has becomes an honest status and not a cut connection.
  const first = (await bytes.next()).value ?? new Uint8Array();
  try {
    const enough = start === 0 && first.byteLength >= Math.min(HEAD_BYTES, entry.size);
    const head = () => enough ? first : readHead(entry, signal);
    headers.set("Content-Type", await contentType(asked.name, head));
  } catch (error) {
    await bytes.return(undefined);
    throw error;
  }
  const status = range ? 206 : 200;
  if (c.req.method === "HEAD") {
    await bytes.return(undefined);
    return new Response(null, { status, headers });
  }
  if (first.byteLength === end - start) {
    await bytes.next(); // Its end is still to be noticed, for that is when it is kept.
    return new Response(first as BodyInit, { status, headers });
  }
  const traits = c.env as ServerTraits | undefined;
  const body = createBody(first, bytes, {
    client,
    endEarly: traits?.cutsShortBodies ?? false,
    onFailure(error) {
      if (isAbort(error, signal)) return;
      const known = error instanceof NethoodError;
      const why = known ? error.message : `${error instanceof Error ? error.stack : error}`;
      log(`${asked.path} was cut off in the middle: ${why}`);
    },
  });
  return new Response(body, { status, headers });
}

function symlinkResponse({ target }: SymlinkEntry, headers: Headers): Response {
  const bytes = new TextEncoder().encode(target);
  headers.set("Content-Type", "inode/symlink");
  headers.set("Content-Length", String(bytes.byteLength));
  return new Response(bytes, { headers });
}

/** The first bytes of a file of which a part is sent: it must be of the same type from its middle, too. */
async function readHead(entry: FileEntry, signal: AbortSignal): Promise<Uint8Array> {
  const range = { start: 0, end: Math.min(HEAD_BYTES, entry.size) };
  for await (const bytes of entry.bytes(range, { signal })) return bytes;
  return new Uint8Array();
}
