/** Delegated Routing V1 (specs.ipfs.tech/routing/http-routing-v1): what this node knows, for programs that ask. */
import { Hono } from "hono";
import { parseKey } from "../src/content/address.ts";
import { NethoodError } from "../src/errors.ts";
import type { Node } from "../src/node.ts";
import { line } from "./reply.ts";

/** What the routing API needs of a node. */
export type Routing = Pick<Node, "names">;

const IPNS_RECORD = "application/vnd.ipfs.ipns-record";

/** Largest record (ipns-record specification, "Record Size Limit"). */
const MAX_RECORD_BYTES = 10 * 1024;

export function createRouting({ names }: Routing): Hono {
  const app = new Hono();

  app.put("/ipns/:name", async (c) => {
    if (c.req.header("content-type") !== IPNS_RECORD) {
      return line(`Send the record as ${IPNS_RECORD}.`, 406);
    }
    const key = parseKey(c.req.param("name"));
    if (key === undefined) {
      throw new NethoodError("BAD_ADDRESS", "This is not the name of an IPNS key.");
    }
    const record = new Uint8Array(await c.req.arrayBuffer());
    if (record.byteLength > MAX_RECORD_BYTES) return line("This record is over 10 KiB.", 400);
    await names.put(key, record);
    return new Response(null, { status: 200 });
  });

  return app;
}
