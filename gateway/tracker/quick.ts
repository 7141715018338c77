/**
 * The three requests of which a tracker lives, answered in front of Hono: announce, renew, and who has a key. Finding their way
 * would take longer than their answers. Whatever is unusual about one is left to the routes.
 */
import { Refusal } from "../../src/routing/announce.ts";
import { parseTrackerKey } from "../../src/routing/key.ts";
import type { Tracker } from "../../src/tracker.ts";
import { recordsHeaders } from "../routing/answer.ts";
import { CORS } from "../routing/routes.ts";
import type { Posts } from "./announce.ts";
import type { Client } from "./asker.ts";

const PROVIDERS = "/routing/v1/providers/";

/** What asks for JSON as every program does, which is all that is understood here. */
const PLAIN = [null, "*/*", "application/json"];

/** The answer, or undefined where the routes are to give it. */
export type Quick = (request: Request, path: string, from: Client) => Promise<Response> | undefined;

export function createQuick(tracker: Tracker, posts: Posts): Quick {
  async function providers(id: string, from: Client): Promise<Response | undefined> {
    const found = await tracker.providers(id, from);
    if (found instanceof Refusal) return undefined;
    const { records, shared } = found;
    const headers = headersOf(records !== "", shared);
    return new Response(`{"Providers":[${records}]}`, { headers });
  }

  return (request, path, from) => {
    const { method } = request;
    if (method === "POST") {
      if (path === "/tracker/v1/announce") return posts.announce(request, from);
      return path === "/tracker/v1/renew" ? posts.renew(request) : undefined;
    }
    if (method !== "GET" || !path.startsWith(PROVIDERS)) return undefined;
    if (!PLAIN.includes(request.headers.get("accept"))) return undefined;
    const key = keyOf(path.slice(PROVIDERS.length));
    return key === undefined ? undefined : providers(key, from) as Promise<Response>;
  };
}

function keyOf(cid: string): string | undefined {
  if (cid.startsWith("/")) return undefined; // Names are no part of Delegated Routing.
  try {
    return parseTrackerKey(cid).id;
  } catch {
    return undefined; // The routes say what is wrong with it.
  }
}

/** The headers of an answer: the same for a second. */
const headersOf = (() => {
  let made = new Map<string, Record<string, string>>();
  let second = 0;
  return (some: boolean, shared: boolean) => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) made = new Map();
    second = now;
    const name = `${some} ${shared}`;
    let headers = made.get(name);
    if (headers === undefined) {
      headers = { ...recordsHeaders("application/json", some, shared), ...CORS };
      made.set(name, headers);
    }
    return headers;
  };
})();
