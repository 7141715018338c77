/**
 * The node's own pages. What was opened here is the reader's business alone, so it is shown only at `localhost`, where no site's
 * content is ever served: on an IP address all sites share one origin with this page, and a script of any of them could read it.
 * Guests are shown how to use the gateway.
 */
import type { Context } from "hono";
import { formatAddress, parseAddress } from "../src/content/address.ts";
import { NethoodError } from "../src/errors.ts";
import type { Node } from "../src/node.ts";
import { isNear } from "./forwarded.ts";
import { guestPage } from "./pages/guest.ts";
import { homePage } from "./pages/home.ts";
import { page, policy, redirect } from "./reply.ts";
import type { Asked } from "./request.ts";

/** What the node's own pages tell of it. */
export type Own = Pick<Node, "id" | "addresses" | "peers" | "visits">;

const PRIVATE = {
  "Cache-Control": "no-store",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  // The form leads to the site's own origin by way of a redirect, which browsers hold against this list too.
  "Content-Security-Policy": policy(
    "form-action 'self' http://*.localhost:*",
    "frame-ancestors 'none'",
  ),
};

export async function ownResponse(
  c: Context,
  node: Own,
  { scheme, name, port, path }: Asked,
  named: "localhost" | "loopback" | "other",
): Promise<Response> {
  // Any client can write `localhost` into its request; one that is elsewhere is a guest.
  const host = isNear(c) ? named : "other";
  if (path === "/") {
    switch (host) {
      case "localhost":
        return await page(homePage({ ...facts(node), visits: node.visits() }), 200, PRIVATE);
      case "loopback":
        return redirect(`http://localhost${port}/`, 302, { "Cache-Control": "no-store" });
      case "other":
        return await page(guestPage(`${scheme}://${name}${port}`));
    }
  }
  if (path === "/open" && host === "localhost") {
    const typed = c.req.query("address") ?? "";
    const address = parseAddress(typed);
    const slash = address.path.length === 0 ? "/" : "";
    const query = new URL(/\?[^#]*/.exec(typed)?.[0] ?? "", "http://localhost").search;
    return redirect(formatAddress(address) + slash + query, 302, PRIVATE);
  }
  throw new NethoodError("NOT_FOUND", `There is nothing at ${path.slice(0, 80)} on this node.`, {
    hint: "Sites are at /ipns/<name>/ and /ipfs/<cid>/.",
  });
}

function facts({ id, addresses, peers }: Own): Omit<Own, "visits"> {
  return { id, addresses, peers };
}
