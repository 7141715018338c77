/** Content as HTTP: a file, a range of it, a folder's index.html, or its listing. */
import type { Context } from "hono";
import type { Address } from "../src/content/address.ts";
import type { FileEntry, SymlinkEntry } from "../src/content/read.ts";
import type { Link } from "../src/content/unixfs.ts";
import { NethoodError } from "../src/errors.ts";
import type { Resolved } from "../src/name/resolve.ts";
import type { Node } from "../src/node.ts";
import { matches } from "./etag.ts";
import { contentHeaders } from "./headers.ts";
import { contentType } from "./mime.ts";
import { listingPage } from "./pages/listing.ts";
import { parseRange } from "./range.ts";
import type { Asked } from "./request.ts";

/** What the gateway needs of a node. */
export type Content = Pick<Node, "open">;

/** Entries shown of a folder; reading on would make a stranger's huge folder our work. */
const MAX_LISTED = 10_000;

export async function contentResponse(
  c: Context,
  content: Content,
  asked: Asked,
  address: Address,
): Promise<Response> {
  const { signal } = c.req.raw;
  const { entry, resolved } = await content.open(address, { signal });
  if (entry.kind !== "directory") return fileResponse(c, address, { entry, resolved });
  if (!asked.path.endsWith("/")) {
    // A path that begins with two slashes would send the reader to another host.
    return redirect(`${asked.path.replace(/^\/+/, "/")}/${asked.query}`);
  }
  const index = { ...address, path: [...address.path, "index.html"] };
  const page = await content.open(index, { signal }).catch(absent);
  if (page && page.entry.kind !== "directory") {
    return fileResponse(c, index, { ...page, entry: page.entry });
  }
  const headers = contentHeaders(address, resolved, entry, true);
  if (matches(c.req.header("if-none-match"), headers.get("ETag")!)) return notModified(headers);
  const links: Link[] = [];
  let cut = false;
  for await (const link of entry.entries({ signal })) {
    cut = links.length === MAX_LISTED;
    if (cut) break;
    links.push(link);
  }
  headers.set("Content-Type", "text/html; charset=utf-8");
  return c.body(
    String(await listingPage(decodeURI(asked.path), String(entry.cid), links, cut)),
    200,
    Object.fromEntries(headers),
  );
}

function absent(error: unknown): undefined {
  if (error instanceof NethoodError && error.code === "NOT_FOUND") return undefined;
  throw error;
}

async function fileResponse(
  c: Context,
  address: Address,
  { entry, resolved }: { entry: FileEntry | SymlinkEntry; resolved: Resolved },
): Promise<Response> {
  const headers = contentHeaders(address, resolved, entry);
  const etag = headers.get("ETag")!;
  if (matches(c.req.header("if-none-match"), etag)) return notModified(headers);
  if (entry.kind === "symlink") return symlinkResponse(entry, headers);

  const ifRange = c.req.header("if-range");
  const range = ifRange && ifRange !== etag
    ? undefined
    : parseRange(c.req.header("range"), entry.size);
  headers.set("Accept-Ranges", "bytes");
  if (range === "unsatisfiable") {
    headers.set("Content-Range", `bytes */${entry.size}`);
    return new Response(null, { status: 416, headers });
  }
  const { start, end } = range ?? { start: 0, end: entry.size };
  headers.set("Content-Length", String(end - start));
  if (range) headers.set("Content-Range", `bytes ${start}-${end - 1}/${entry.size}`);

  const { signal } = c.req.raw;
  const name = address.path.at(-1) ?? "";
  // The first bytes are awaited, so that content nobody has becomes an honest status and not a cut connection.
  const bytes = entry.bytes(range, { signal });
  const first = (await bytes.next()).value ?? new Uint8Array();
  headers.set("Content-Type", contentType(name, start === 0 ? first : await head(entry, signal)));
  const status = range ? 206 : 200;
  if (c.req.method === "HEAD") {
    await bytes.return(undefined);
    return new Response(null, { status, headers });
  }
  if (first.byteLength < end - start) {
    return new Response(stream(first, bytes), { status, headers });
  }
  await bytes.next(); // The whole file in one block: its end is still to be noticed, for that is when it is kept.
  return new Response(first as BodyInit, { status, headers });
}

function symlinkResponse({ target }: SymlinkEntry, headers: Headers): Response {
  headers.set("Content-Type", "inode/symlink");
  return new Response(target, { headers });
}

/** The first bytes of a file of which a later range is sent: a video must be a video from its middle, too. */
async function head(entry: FileEntry, signal: AbortSignal): Promise<Uint8Array> {
  for await (
    const bytes of entry.bytes({ start: 0, end: Math.min(4096, entry.size) }, { signal })
  ) return bytes;
  return new Uint8Array();
}

function stream(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  let next: Uint8Array | undefined = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      // A failure in the middle errors the stream, and the connection is cut: the client sees that it has not all.
      const chunk = next ?? (await rest.next()).value;
      next = undefined;
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    async cancel() {
      await rest.return(undefined);
    },
  });
}

function redirect(location: string): Response {
  return new Response(null, { status: 301, headers: { Location: location } });
}

function notModified(headers: Headers): Response {
  return new Response(null, { status: 304, headers });
}
