/** A file as HTTP: the whole of it, or a range. */
import type { Context } from "hono";
import { isAbort } from "../src/abort.ts";
import type { Range } from "../src/content/file.ts";
import type { Entry, FileEntry, SymlinkEntry } from "../src/content/read.ts";
import { NethoodError } from "../src/errors.ts";
import type { Resolved } from "../src/name/resolve.ts";
import { unchanged } from "./etag.ts";
import { disposition } from "./formats/disposition.ts";
import { contentHeaders } from "./headers.ts";
import { contentType, HEAD_BYTES } from "./mime.ts";
import { createMultipart } from "./multipart.ts";
import { parseRanges, rangeFailure } from "./range.ts";
import { createBody } from "./body.ts";

/** What a server tells the gateway about itself, as Hono's `env`. */
export interface ServerTraits {
  /**
   * The server cuts the connection where a body is shorter than its `Content-Length`. Then a body that fails just ends, since
   * both servers we know would print the failure with its stack. Default: false, a body that fails is a stream that errors.
   */
  cutsShortBodies?: boolean;
  /** The IP address of whoever connected, "" if it is not known. Default: no server tells; the gateway is embedded in a program. */
  client?: string;
  /**
   * What of a Response shares its bytes, and looks through its headers but once: its `clones`, or what is made of the same
   * `bytes`. Default: nothing does. Elsewhere a Response copies the bytes it is given, and a clone splits a stream in two.
   */
  shares?: "clones" | "bytes";
  /** Bytes of a file that it is best given at once, most. Default: 256 KiB. */
  piece?: number;
  /** Told of a body of so many bytes that the server gets whole, as a clone. */
  handedOver?: (bytes: number) => void;
  /** Cuts the connection. Default: a body without a length that fails is a stream that errors. */
  cut?: () => void;
}

/** A file that is to be sent. */
export interface Served {
  /** The canonical address as it was asked for. */
  path: string;
  /** The file's own name. */
  name: string;
  entry: FileEntry | SymlinkEntry;
  resolved: Resolved;
  /** The folder for which it stands, as its index.html; such a page is known by the folder's CID. Default: the file itself. */
  folder?: Entry;
  /** 404 and the like for a page that tells of an error; then it is sent whole, whatever conditions there are. Default: 200. */
  status?: number;
  /** Fields that the site adds to it, or that take the place of ours. Default: none. */
  added?: Headers;
}

/** @param client aborted when whoever asked has left */
export async function fileResponse(
  c: Context,
  { path, name, entry, resolved, folder, status = 200, added }: Served,
  client: AbortController,
  log: (line: string) => void,
): Promise<Response> {
  const { signal } = client;
  const headers = contentHeaders(path, resolved, folder ?? entry);
  added?.forEach((value, field) => headers.set(field, value));
  const etag = headers.get("ETag")!;
  // Conditions and ranges are for what is there (RFC 9110, sections 13.2.1 and 14.2).
  const found = status === 200;
  const same = found ? unchanged(c, headers) : undefined;
  if (same) return same;
  if (entry.kind === "symlink") return symlinkResponse(entry, status, headers);

  const saved = disposition(new URLSearchParams(c.req.url.split("?")[1]), { kind: "inline" });
  if (saved !== undefined) headers.set("Content-Disposition", saved);
  headers.set("Accept-Ranges", "bytes");
  const ifRange = c.req.header("if-range");
  const ranges = !found || ifRange && ifRange !== etag
    ? undefined
    : parseRanges(c.req.header("range"), entry.size);
  if (ranges === "unsatisfiable") return await rangeFailure(c, entry.size, headers);
  const body = ranges && ranges.length > 1
    ? await openParts(entry, name, ranges, signal)
    : await openOne(entry, name, ranges?.[0], signal);
  for (const [field, value] of Object.entries(body.headers)) headers.set(field, value);
  const init = { status: ranges ? 206 : status, headers };
  if (c.req.method === "HEAD") {
    await body.rest.return(undefined);
    return new Response(null, init);
  }
  if (body.first.byteLength === body.length) {
    await body.rest.next(); // Its end is still to be noticed, for that is when it is kept.
    return new Response(body.first as BodyInit, init);
  }
  const traits = c.env as ServerTraits | undefined;
  const stream = createBody(body.first, body.rest, {
    client,
    endEarly: traits?.cutsShortBodies ?? false,
    piece: traits?.piece,
    onFailure(error) {
      if (isAbort(error, signal)) return;
      const known = error instanceof NethoodError;
      const why = known ? error.message : `${error instanceof Error ? error.stack : error}`;
      log(`${path} was cut off in the middle: ${why}`);
    },
  });
  return new Response(stream, init);
}

/**
 * A body of which the first bytes are here: they are awaited, so that content nobody has becomes an honest status and not a cut
 * connection.
 */
interface OpenBody {
  headers: Record<string, string>;
  length: number;
  first: Uint8Array;
  rest: AsyncGenerator<Uint8Array>;
}

/** The whole file, or one range of it. */
async function openOne(
  entry: FileEntry,
  name: string,
  range: Range | undefined,
  signal: AbortSignal,
): Promise<OpenBody> {
  const { size } = entry;
  const { start, end } = range ?? { start: 0, end: size };
  const rest = entry.bytes(range, { signal });
  const first = (await rest.next()).value ?? new Uint8Array();
  try {
    const enough = start === 0 && first.byteLength >= Math.min(HEAD_BYTES, size);
    const head = () => enough ? first : readHead(entry, signal);
    const headers = {
      "Content-Type": await contentType(name, head),
      "Content-Length": String(end - start),
      ...(range && { "Content-Range": `bytes ${start}-${end - 1}/${size}` }),
    };
    return { headers, length: end - start, first, rest };
  } catch (error) {
    await rest.return(undefined);
    throw error;
  }
}

async function openParts(
  entry: FileEntry,
  name: string,
  ranges: readonly Range[],
  signal: AbortSignal,
): Promise<OpenBody> {
  const type = await contentType(name, () => readHead(entry, signal));
  const parts = createMultipart(entry, ranges, type);
  const rest = parts.bytes({ signal });
  const first = (await rest.next()).value ?? new Uint8Array();
  const headers = { "Content-Type": parts.type, "Content-Length": String(parts.length) };
  return { headers, length: parts.length, first, rest };
}

/** What a symbolic link says, and not what it leads to: that may be outside of what was published (Kubo has it so, too). */
function symlinkResponse({ target }: SymlinkEntry, status: number, headers: Headers): Response {
  const bytes = new TextEncoder().encode(target);
  headers.set("Content-Type", "inode/symlink");
  headers.set("Content-Length", String(bytes.byteLength));
  return new Response(bytes, { status, headers });
}

/** The first bytes of a file of which a part is sent: it must be of the same type from its middle, too. */
async function readHead(entry: FileEntry, signal: AbortSignal): Promise<Uint8Array> {
  const range = { start: 0, end: Math.min(HEAD_BYTES, entry.size) };
  for await (const bytes of entry.bytes(range, { signal })) return bytes;
  return new Uint8Array();
}
