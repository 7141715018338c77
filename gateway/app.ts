/** The gateway: a request comes in, a response goes out. It opens no socket and reads no environment. */
import { type Context, Hono } from "hono";
import { NethoodError } from "../src/errors.ts";
import { cors, METHODS } from "./headers.ts";
import { type Content, createContent } from "./content.ts";
import { errorResponse, failureResponse } from "./error.ts";
import type { Formats } from "./formats/format.ts";
import { type Own, ownResponse } from "./own.ts";
import { withHot } from "./hot.ts";
import { redirect } from "./reply.ts";
import { createReader } from "./forwarded.ts";
import { createHosts } from "./hosts.ts";
import { type Asked, type Target, target } from "./request.ts";
import { createRouting, type Routing } from "./routing.ts";

/** All that a page may do, except to be of the origin that it came from. */
const SANDBOX = "sandbox allow-downloads allow-forms allow-modals allow-popups " +
  "allow-popups-to-escape-sandbox allow-scripts";

const ONLY_READ = {
  status: 405,
  message: "Only GET and HEAD work here: content is read, not changed.",
  hint: "Open the address without sending anything to it.",
};

/** What the gateway needs of a node. */
export type GatewayNode = Content & Formats & Own & Routing;

export interface GatewayOptions {
  /** Told what went wrong inside, never what a client did wrong. Default: silence. */
  log?: (line: string) => void;
  /** Host names of this gateway, whose subdomains are sites, beside `localhost`. Default: none. */
  hosts?: string[];
  /**
   * IP addresses of reverse proxies, or their networks (`10.0.0.0/8`), whose `X-Forwarded-Host` and `X-Forwarded-Proto` are
   * believed. Default: none. It takes a server that tells who connects, as `serve` does: elsewhere nothing is believed.
   */
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
  { log = () => undefined, hosts: names, trustProxy = [], patience }: GatewayOptions = {},
): Hono {
  const read = createReader(trustProxy);
  const hosts = createHosts(names);
  const content = createContent(node, { log, patience });
  const app = new Hono();
  app.onError((error, c) => errorResponse(error, c, log));

  // Under the gateway's own names alone: a site may have a folder of this name.
  const routing = createRouting(node, log);
  app.all("/routing/v1/*", async (c, next) => {
    if (target(read(c), hosts).kind !== "own") return await next();
    return await routing.fetch(c.req.raw, c.env);
  });

  app.options("*", () => new Response(null, { status: 204, headers: { Allow: METHODS, ...cors } }));

  // Hono answers HEAD by running GET and dropping the body.
  app.get("*", async (c) => {
    const asked = read(c);
    return await answer(c, asked, target(asked, hosts));
  });

  app.all("*", (c) => failureResponse(c, ONLY_READ, { Allow: METHODS }));
  // In front of Hono, not a middleware of it: finding its way would cost more than all the rest of a ready answer.
  app.fetch = withHot(app.fetch, {
    changes: () => node.names.changes,
    proxied: trustProxy.length > 0,
  });
  return app;

  async function answer(c: Context, asked: Asked, to: Target): Promise<Response> {
    switch (to.kind) {
      case "redirect":
        return redirect(to.location, to.status, cors);
      case "own":
        return await ownResponse(c, node, asked, to.host);
      case "content":
        try {
          return await content(c, asked, to);
        } catch (error) {
          if (to.otherwise === undefined || !isNoSite(error)) throw error;
          return sandboxed(await answer(c, asked, to.otherwise()));
        }
    }
  }
}

/** Whether a host has no site, as far as can be known now. */
function isNoSite(error: unknown): boolean {
  return error instanceof NethoodError && ["NO_DNSLINK", "DNS_UNREACHABLE"].includes(error.code);
}

/**
 * Content under the name of somebody else. To a browser that has this node as its proxy it would be a page of theirs, with
 * their cookies: so it gets an origin of its own, which has nothing.
 */
function sandboxed(response: Response): Response {
  response.headers.append("Content-Security-Policy", SANDBOX);
  return response;
}
