/** A key's signed IPNS record, to be checked by whoever asked (trustless-gateway specification, "IPNS Record responses"). */
import { base36 } from "multiformats/bases/base36";
import { base32 } from "multiformats/bases/base32";
import { sha256 } from "multiformats/hashes/sha2";
import { formatAddress, parseKey } from "../../src/content/address.ts";
import { NethoodError } from "../../src/errors.ts";
import { excerpt } from "../../src/printable.ts";
import { cors } from "../headers.ts";
import { unchanged } from "../etag.ts";
import { bytesResponse } from "./block.ts";
import { disposition } from "./disposition.ts";
import type { Ask } from "./format.ts";
import { MEDIA_TYPES } from "./negotiate.ts";

export async function recordResponse(
  { c, node, address, query, location, local, client }: Ask,
): Promise<Response> {
  const key = address.namespace === "ipns" && address.path.length === 0
    ? parseKey(address.root)
    : undefined;
  if (key === undefined) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `${excerpt(formatAddress(address))} has no IPNS record.`,
      {
        hint: "Records are those of keys: ask at /ipns/<key>, without a path behind it.",
      },
    );
  }
  const { bytes, ttl, expires } = await node.names.record(key, { signal: client.signal, local });
  const { digest } = await sha256.digest(bytes);
  const usual = { kind: "attachment", filename: `${key.toString(base36)}.ipns-record` } as const;
  const headers = new Headers({
    ...cors,
    "Content-Type": MEDIA_TYPES["ipns-record"],
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": `public, max-age=${ttl}`,
    Expires: new Date(expires).toUTCString(),
    ETag: `"${base32.encode(digest)}"`,
    "X-Ipfs-Path": formatAddress(address),
    "Content-Disposition": disposition(query, usual)!,
    ...(location && { "Content-Location": location, Vary: "Accept" }),
  });
  return unchanged(c, headers) ?? await bytesResponse(c, bytes, headers);
}
