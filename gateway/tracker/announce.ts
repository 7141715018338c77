/** The tracker's own protocol over HTTP (docs/tracker-protocol.md): JSON in, JSON out. */
import { type Context, Hono } from "hono";
import { MAX_ANNOUNCE_BYTES, Refusal } from "../../src/routing/announce.ts";
import { type Key, parseTrackerKey } from "../../src/routing/key.ts";
import type { Tracker } from "../../src/tracker.ts";
import { readText } from "../intake.ts";
import type { Client } from "./asker.ts";

/** A renewal as it is sent, in bytes, at most. */
const MAX_RENEWAL_BYTES = 1_024;

/** Keys of one scrape, most. */
const MAX_SCRAPED = 100;

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

export function createProtocol(tracker: Tracker, clientOf: (c: Context) => Client): Hono {
  const app = new Hono().basePath("/tracker/v1");
  app.options("*", () => new Response(null, { status: 204, headers: CORS }));
  app.post("/announce", async (c) => {
    const body = await readText(c, MAX_ANNOUNCE_BYTES);
    if (body === undefined) {
      const most = `An announce has ${MAX_ANNOUNCE_BYTES} bytes at most, and comes at once.`;
      return refuse(new Refusal(413, most));
    }
    return reply(await tracker.announce(body, clientOf(c)));
  });
  app.post("/renew", async (c) => {
    const renewal = parse(await readText(c, MAX_RENEWAL_BYTES));
    if (renewal === undefined) {
      return refuse(new Refusal(400, "A renewal is JSON with a token, and perhaps given."));
    }
    return reply(await tracker.renew(renewal.token, renewal.given));
  });
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

  function reply(answer: object | Refusal): Response {
    if (answer instanceof Refusal) return refuse(answer);
    return new Response(JSON.stringify(answer), { headers: HEADERS });
  }

  function refuse({ status, error }: Refusal): Response {
    const body = JSON.stringify({ error, time: tracker.now() });
    return new Response(body, { status, headers: HEADERS });
  }
}

/** Says that somebody has to wait. */
export function tooMany(seconds: number, time: number): Response {
  const error = `That is too much at once: wait ${seconds} seconds.`;
  return new Response(JSON.stringify({ error, time }), {
    status: 429,
    headers: { ...HEADERS, "Retry-After": String(seconds) },
  });
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
