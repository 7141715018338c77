/** Bytes that are here already, as HTTP: all of them, or a range. */
import type { Context } from "hono";
import { parseRange, rangeFailure } from "../range.ts";

export async function bytesResponse(
  c: Context,
  bytes: Uint8Array,
  headers: Headers,
): Promise<Response> {
  const size = bytes.byteLength;
  const ifRange = c.req.header("if-range");
  const range = ifRange && ifRange !== headers.get("ETag")
    ? undefined
    : parseRange(c.req.header("range"), size);
  headers.set("Accept-Ranges", "bytes");
  if (range === "unsatisfiable") return await rangeFailure(c, size, headers);
  const { start, end } = range ?? { start: 0, end: size };
  if (range) headers.set("Content-Range", `bytes ${start}-${end - 1}/${size}`);
  headers.set("Content-Length", String(end - start));
  const body = c.req.method === "HEAD" ? null : bytes.subarray(start, end) as BodyInit;
  return new Response(body, { status: range ? 206 : 200, headers });
}
