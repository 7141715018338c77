/** One block as it is (trustless-gateway specification, "Block responses"), whatever it holds. */
import { unchanged } from "../etag.ts";
import { bytesResponse } from "./block.ts";
import { absent, type Ask, formatHeaders, locate } from "./format.ts";

export async function rawResponse(ask: Ask): Promise<Response> {
  const located = await locate(ask);
  const { cid } = located.found;
  const headers = formatHeaders(ask, "raw", located, `"${cid}.raw"`, {
    kind: "attachment",
    filename: `${cid}.bin`,
  });
  const { signal } = ask.client;
  // Also who has it already is told only of what is here.
  const block = await located.blocks.get(cid, { signal }).catch(absent);
  return unchanged(ask.c, headers) ?? await bytesResponse(ask.c, block, headers);
}
