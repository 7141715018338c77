/** The gateway: a request comes in, a response goes out. It opens no socket and reads no environment. */
import { Hono } from "hono";
import { cors, METHODS } from "./headers.ts";
import { type Content, contentResponse } from "./content.ts";
import { errorResponse } from "./error.ts";
import { type Own, ownResponse } from "./own.ts";
import { withHot } from "./hot.ts";
import { line, redirect } from "./reply.ts";
import { readUrl, target } from "./request.ts";
import { createRouting, type Routing } from "./routing.ts";

/** What the gateway needs of a node. */
export type GatewayNode = Content & Own & Routing;

export interface GatewayOptions {
  /** Told what went wrong inside, never what a client did wrong. Default: silence. */
  log?: (line: string) => void;
  /** Host names of this gateway, whose subdomains are sites, beside `localhost`. Default: none. */
  hosts?: string[];
  /** Addresses of reverse proxies whose `X-Forwarded-Host` and `X-Forwarded-Proto` are believed. Default: none. */
  trustProxy?: string[];
  /** How long a reader waits for the first byte before a 504, in milliseconds. Default: 60,000. */
  patience?: number;
}

/**
 * An HTTP gateway in front of a node:
 *
 * - `http://127.0.0.1:PORT/ipns/docs.example.org/`: any address as a path;
 * - `http://docs-example-org.ipns.localhost:PORT/`: each site in an origin of its own;
 * - `Host: docs.example.org`, or the node as HTTP proxy: the site under its ordinary address.
 */
export function createGateway(
  node: GatewayNode,
  { log = () => undefined, trustProxy = [] }: GatewayOptions = {},
): Hono {
  const app = new Hono();
  app.onError((error, c) => errorResponse(error, c, log));

  app.options("*", () => new Response(null, { status: 204, headers: { Allow: METHODS, ...cors } }));

  app.route("/routing/v1", createRouting(node));

  // Hono answers HEAD by running GET and dropping the body.
  app.get("*", async (c) => {
    const asked = readUrl(c.req.url);
    const to = target(asked);
    switch (to.kind) {
      case "redirect":
        return redirect(to.location, 301);
      case "content":
        return await contentResponse(c, node, asked, to, log);
      case "own":
        return await ownResponse(c, node, asked, to.host);
    }
  });

  app.all(
    "*",
    () =>
      line("Only GET and HEAD work here: content is read, not changed.", 405, { Allow: METHODS }),
  );
  // In front of Hono, not a middleware of it: finding its way would cost more than all the rest of a ready answer.
  app.fetch = withHot(app.fetch, { proxied: trustProxy.length > 0 });
  return app;
}
