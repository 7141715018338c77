/** Signed IPNS records, handed out and taken in. */
import type { Context } from "hono";
import { base32 } from "multiformats/bases/base32";
import type { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { parseKey } from "../../src/content/address.ts";
import { NethoodError } from "../../src/errors.ts";
import type { IpnsRecord } from "../../src/name/record.ts";
import { matches } from "../etag.ts";
import { readAtMost } from "../intake.ts";
import { line } from "../reply.ts";
import { cacheControl, quality, STALE_S } from "./answer.ts";

const RECORD_TYPE = "application/vnd.ipfs.ipns-record";

/** Largest record (ipns-record specification, "Record Size Limit"). */
const MAX_RECORD_BYTES = 10 * 1024;

/** How long a record holds that does not say, and the news that there is none, in seconds (http-routing-v1). */
const DEFAULT_S = 60;

/** Where records come from, and where they go. */
export interface Names {
  record(key: CID, options?: { signal?: AbortSignal }): Promise<IpnsRecord>;
  put(key: CID, bytes: Uint8Array): Promise<void>;
}

export async function getRecord(c: Context, names: Names): Promise<Response> {
  if (quality(c.req.header("accept") ?? "", RECORD_TYPE) === 0) {
    return line(`Ask for the record with Accept: ${RECORD_TYPE}.`, 406);
  }
  const key = keyOf(c);
  try {
    return await recordResponse(c, await names.record(key, { signal: c.req.raw.signal }));
  } catch (error) {
    const none = error instanceof NethoodError && /^IPNS_(NOT_FOUND|INVALID)$/.test(error.code);
    if (!none) throw error;
    // Not a 404: whatever is not of the record's type says that there is none (IPIP-513).
    return line(error.message, 200, {
      "Cache-Control": `public, max-age=${DEFAULT_S}`,
      Vary: "Accept",
    });
  }
}

async function recordResponse(c: Context, { bytes, ttl, expires }: IpnsRecord): Promise<Response> {
  const { digest } = await sha256.digest(bytes);
  const etag = `"${base32.encode(digest)}"`;
  const left = Math.max(0, Math.floor((expires - Date.now()) / 1000));
  const holds = Math.min(ttl || DEFAULT_S, left);
  const headers = {
    "Content-Type": RECORD_TYPE,
    "Cache-Control": cacheControl(holds, Math.min(STALE_S, left - holds)),
    ETag: etag,
    Expires: new Date(expires).toUTCString(),
    "Last-Modified": new Date().toUTCString(),
    Vary: "Accept",
  };
  if (matches(c.req.header("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  const body = new Uint8Array(bytes);
  return new Response(body, {
    headers: { ...headers, "Content-Length": String(body.byteLength) },
  });
}

export async function putRecord(c: Context, names: Names): Promise<Response> {
  const [type = ""] = (c.req.header("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== RECORD_TYPE) {
    return line(`Send the record with Content-Type: ${RECORD_TYPE}.`, 406);
  }
  const key = keyOf(c);
  const record = await readAtMost(c.req.raw.body, MAX_RECORD_BYTES);
  if (record === undefined) return line("This record is over 10 KiB.", 400);
  await names.put(key, record);
  return new Response(null, { headers: { "Content-Length": "0" } });
}

function keyOf(c: Context): CID {
  const key = parseKey(c.req.param("name") ?? "");
  if (key !== undefined) return key;
  throw new NethoodError("BAD_ADDRESS", "This is not the name of an IPNS key.", {
    hint: "Names of keys are CIDs such as k51….",
  });
}
