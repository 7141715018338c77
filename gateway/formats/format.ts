/** Answers in other forms than a page: a block, a CAR, a TAR, a record. Which one, the request says. */
import type { Context } from "hono";
import type { GatewayNode } from "../app.ts";
import type { Address } from "../../src/content/address.ts";
import type { Asked } from "../request.ts";

/** The answer in the form that was asked for; undefined where that is the content itself, as a browser shows it. */
export function formatResponse(
  _c: Context,
  _node: GatewayNode,
  _asked: Asked,
  _address: Address,
  _signal: AbortSignal,
): Promise<Response | undefined> {
  return Promise.resolve(undefined);
}
