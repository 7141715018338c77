/** The tracker's own protocol over HTTP (docs/tracker-protocol.md): JSON in, JSON out. */
import { Hono } from "hono";
import { MAX_ANNOUNCE_BYTES, Refusal } from "../../src/routing/announce.ts";
import { type Key, parseTrackerKey } from "../../src/routing/key.ts";
import type { Tracker } from "../../src/tracker.ts";
import { readText } from "../intake.ts";
import type { Client } from "./asker.ts";

/** A renewal as it is sent, in bytes, at most. */
const MAX_RENEWAL_BYTES = 1_024;

/** Keys of one scrape, most. */
const MAX_SCRAPED = 100;

/** When to ask again where the store is away, in seconds. */
const STORE_AWAY_S = 5;

/** The version of the protocol. */
const VERSION = 1;

/** Pages in browsers announce, too. */
export const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
  "Access-Control-Allow-Headers": "Accept, Content-Type",
  "Access-Control-Expose-Headers": "Retry-After",
  "Access-Control-Max-Age": "86400",
};

const HEADERS = { ...CORS, "Content-Type": "application/json", "Cache-Control": "no-store" };

/** What answers the two requests that come the most often, without finding their way through Hono. */
export interface Posts {
  announce(request: Request, from: Client): Promise<Response>;
  renew(request: Request): Promise<Response>;
}

export function createPosts(tracker: Tracker): Posts {
  const { reply, refuse } = createReplies(tracker);
  return {
    async announce(request, from) {
      const body = await readText(request, MAX_ANNOUNCE_BYTES);
      if (body !== undefined) return reply(await tracker.announce(body, from));
      const most = `An announce has ${MAX_ANNOUNCE_BYTES} bytes at most, and comes at once.`;
      return refuse(new Refusal(413, most));
    },
    async renew(request) {
      const renewal = parse(await readText(request, MAX_RENEWAL_BYTES));
      if (renewal !== undefined) return reply(await tracker.renew(renewal.token, renewal.given));
      return refuse(new Refusal(400, "A renewal is JSON with a token, and perhaps given."));
    },
  };
}

/** The rest of the protocol. */
export function createProtocol(tracker: Tracker): Hono {
  const { reply, refuse } = createReplies(tracker);
  const app = new Hono().basePath("/tracker/v1");
  app.options("*", () => new Response(null, { status: 204, headers: CORS }));
  app.get("/scrape", async (c) => {
    const written = c.req.queries("key") ?? [];
    if (written.length === 0 || written.length > MAX_SCRAPED) {
      const how = `Ask for ?key=… with 1 to ${MAX_SCRAPED} keys.`;
      return refuse(new Refusal(written.length === 0 ? 400 : 413, how));
    }
    const keys: Key[] = [];
    for (const text of written) {
      const key = tryKey(text);
      if (key === undefined) {
        return refuse(new Refusal(400, `"${text.slice(0, 80)}" is no CID, key or name.`));
      }
      keys.push(key);
    }
    const counts = await tracker.scrape(keys);
    return reply({ keys: Object.fromEntries(keys.map(({ text }, i) => [text, counts[i]])) });
  });
  app.get("/", () => {
    const { id, url, ttl } = tracker;
    return reply({ id, url, ttl, version: VERSION });
  });
  app.all("*", () => refuse(new Refusal(404, "There are announce, renew and scrape here.")));
  return app;
}

function createReplies(tracker: Tracker) {
  const reply = (answer: object | Refusal): Response =>
    answer instanceof Refusal
      ? refuse(answer)
      : new Response(JSON.stringify(answer), { headers: HEADERS });
  const refuse = ({ status, error }: Refusal): Response => {
    const body = JSON.stringify({ error, time: tracker.now() });
    return new Response(body, { status, headers: HEADERS });
  };
  return { reply, refuse };
}

/** Says that somebody has to wait. */
export function tooMany(seconds: number, time: number): Response {
  return comeAgain(429, `That is too much at once: wait ${seconds} seconds.`, seconds, time);
}

/** Says that what the tracker knows is out of its reach for a while. */
export function storeAway(time: number): Response {
  const error = "This tracker cannot reach what it knows now: come again.";
  return comeAgain(503, error, STORE_AWAY_S, time);
}

function comeAgain(status: number, error: string, seconds: number, time: number): Response {
  const headers = { ...HEADERS, "Retry-After": String(seconds) };
  return new Response(JSON.stringify({ error, time }), { status, headers });
}

function parse(text: string | undefined): { token: string; given?: number } | undefined {
  let value: { token?: unknown; given?: unknown } | null;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return undefined; // Who sent it is told what it should be.
  }
  const { token, given } = value ?? {};
  if (typeof token !== "string") return undefined;
  if (given === undefined) return { token };
  return Number.isSafeInteger(given) && given as number >= 0
    ? { token, given: given as number }
    : undefined;
}

function tryKey(text: string): Key | undefined {
  try {
    return parseTrackerKey(text);
  } catch {
    return undefined; // The answer says what a key is.
  }
}
