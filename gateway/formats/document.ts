/** Documents as HTTP: the block under its media type, or a page for people. Nothing is converted (IPIP-0524). */
import type { Context } from "hono";
import { type Address, formatAddress } from "../../src/content/address.ts";
import type { DocumentFormat } from "../../src/content/document.ts";
import type { DocumentEntry, Entry } from "../../src/content/read.ts";
import { NethoodError } from "../../src/errors.ts";
import type { Resolved } from "../../src/name/resolve.ts";
import { documentHeaders } from "../headers.ts";
import { contentType } from "../mime.ts";
import { documentPage } from "../pages/document.ts";
import { page } from "../reply.ts";
import type { Asked } from "../request.ts";
import { unchanged } from "../etag.ts";
import { bytesResponse } from "./block.ts";
import { type Ask, formatHeaders } from "./format.ts";
import { type Format, negotiate } from "./negotiate.ts";

/** The forms in which each document may be sent as it is. */
const FORMS: Record<DocumentFormat, string[]> = {
  "dag-json": ["dag-json", "json"],
  "dag-cbor": ["dag-cbor", "cbor"],
  json: ["json"],
  cbor: ["cbor"],
};

/** A document in the form that was asked for; undefined where that is a file as it is. */
export async function documentFormatted(ask: Ask): Promise<Response | undefined> {
  const { c, node, address, wanted, local, client } = ask;
  const { signal } = client;
  const { entry, resolved } = await node.open(address, { signal, local });
  if (entry.kind !== "document") {
    if (wanted.optional || await isOf(entry, address, ask)) return undefined;
    throw mismatch(wanted.format, "a file or a folder");
  }
  if (!FORMS[entry.format].includes(wanted.format)) {
    if (wanted.optional) return undefined;
    throw mismatch(wanted.format, `a document in ${entry.format}`);
  }
  return await send(c, ask, entry, resolved, wanted.format);
}

/** A document where no form was asked for: its block, or a page where a browser asks. */
export async function documentResponse(
  c: Context,
  asked: Asked,
  { address, isolated }: { address: Address; isolated: boolean },
  { entry, resolved }: { entry: DocumentEntry; resolved: Resolved },
): Promise<Response> {
  const query = new URLSearchParams(asked.query);
  if (negotiate(query, c.req.header("accept"))?.format !== "html") {
    return await send(c, { address, query }, entry, resolved, entry.format);
  }
  const headers = documentHeaders(formatAddress(address), resolved, entry);
  return unchanged(c, headers) ??
    await page(documentPage({ address, isolated, entry }), 200, headers);
}

async function send(
  c: Context,
  ask: Pick<Ask, "address" | "query"> & { location?: string | undefined },
  entry: DocumentEntry,
  resolved: Resolved,
  format: Format,
): Promise<Response> {
  const { cid, block } = entry;
  const kind = format.endsWith("json") ? "json" : "cbor";
  const headers = formatHeaders(
    { location: undefined, ...ask },
    format,
    { found: entry, resolved },
    `"${cid}.${format}"`,
    {
      kind: kind === "json" ? "inline" : "attachment",
      filename: `${cid}.${kind}`,
    },
  );
  headers.set("Vary", "Accept");
  return unchanged(c, headers) ?? await bytesResponse(c, block, headers);
}

/**
 * Whether a UnixFS file answers for this form: the one that `?format=` names must be its type. `Accept` alone may be
 * disregarded (RFC 9110, section 12.4.1); programs that like JSON get the file, as from any web server.
 */
async function isOf(entry: Entry, { path }: Address, { wanted, client }: Ask): Promise<boolean> {
  if (wanted.format !== "json" && wanted.format !== "cbor") return false;
  if (wanted.byAccept) return true;
  if (entry.kind !== "file") return false;
  const type = await contentType(path.at(-1) ?? "", async () => {
    for await (const bytes of entry.bytes({ start: 0, end: Math.min(4096, entry.size) }, client)) {
      return bytes;
    }
    return new Uint8Array();
  });
  return type.startsWith(`application/${wanted.format}`);
}

function mismatch(format: string, what: string): NethoodError {
  return new NethoodError("NOT_ACCEPTABLE", `This is ${what}, which is not sent as ${format}.`, {
    hint: "Ask for it without a format, or with ?format=raw.",
  });
}
