/** A file or a folder with all that is in it as a TAR file (IPIP-0288). */
import { documentFormat } from "../../src/content/document.ts";
import { open } from "../../src/content/read.ts";
import { packTar } from "../../src/content/tar.ts";
import { NethoodError } from "../../src/errors.ts";
import { unchanged } from "../etag.ts";
import { absent, type Ask, formatHeaders, locate } from "./format.ts";
import { streamResponse } from "./stream.ts";

export async function tarResponse(ask: Ask): Promise<Response> {
  const located = await locate(ask);
  const { cid } = located.found;
  if (documentFormat(cid)) {
    throw new NethoodError("NOT_ACCEPTABLE", "This is a document, not a file or a folder.", {
      hint: "Ask for it without a format, or with ?format=raw or ?format=car.",
    });
  }
  const headers = formatHeaders(ask, "tar", located, `W/"${cid}.x-tar"`, {
    kind: "attachment",
    filename: `${ask.address.path.at(-1) ?? cid}.tar`,
  });
  const { signal } = ask.client;
  const entry = await open(located.blocks, cid, [], { signal }).catch(absent);
  return unchanged(ask.c, headers) ??
    await streamResponse(ask, packTar(located.blocks, entry, { signal }), headers);
}
