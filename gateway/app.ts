/** The gateway: a request comes in, a response goes out. It opens no socket and reads no environment. */
import { Hono } from "hono";
import { formatAddress, parseAddress } from "../src/content/address.ts";
import type { Node } from "../src/node.ts";
import { type Content, contentResponse } from "./content.ts";
import { errorResponse } from "./error.ts";
import { homePage } from "./pages/home.ts";
import { readUrl, target } from "./request.ts";

/** What the gateway needs of a node. */
export type GatewayNode = Content & Pick<Node, "id" | "addresses" | "peers" | "visits">;

export interface GatewayOptions {
  /** Told what went wrong inside, never what a client did wrong. Default: silence. */
  log?: (line: string) => void;
}

const METHODS = "GET, HEAD, OPTIONS";

/**
 * An HTTP gateway in front of a node:
 *
 * - `http://127.0.0.1:PORT/ipns/docs.example.org/`: any address as a path;
 * - `http://docs-example-org.ipns.localhost:PORT/`: each site in an origin of its own;
 * - `Host: docs.example.org`, or the node as HTTP proxy: the site under its ordinary address.
 */
export function createGateway(
  node: GatewayNode,
  { log = () => undefined }: GatewayOptions = {},
): Hono {
  const app = new Hono();
  app.onError((error, c) => errorResponse(error, c, log));

  app.options("*", (c) =>
    c.body(null, 204, {
      Allow: METHODS,
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": "Content-Type, Range, User-Agent, X-Requested-With",
    }));

  // Hono answers HEAD by running GET and dropping the body.
  app.get("*", async (c) => {
    const asked = readUrl(c.req.url);
    const to = target(asked);
    if (to.kind === "redirect") return c.redirect(to.location, 301);
    if (to.kind === "content") return await contentResponse(c, node, asked, to.address);
    if (asked.path === "/") {
      return c.html(
        homePage({ ...node, addresses: node.addresses, peers: node.peers, visits: node.visits() }),
      );
    }
    if (asked.path === "/open") {
      const { namespace, root, path } = parseAddress(c.req.query("address") ?? "");
      const slash = path.length === 0 ? "/" : "";
      return c.redirect(
        `//localhost:${asked.host.split(":").at(-1)}${
          formatAddress({ namespace, root, path })
        }${slash}`,
        302,
      );
    }
    return c.text("This node serves /ipfs/<cid>/… and /ipns/<name>/… here.\n", 404);
  });

  app.all(
    "*",
    (c) =>
      c.text("Only GET and HEAD work here: content is read, not changed.\n", 405, {
        Allow: METHODS,
      }),
  );
  return app;
}
