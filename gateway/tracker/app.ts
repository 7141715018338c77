/** A tracker over HTTP: its own protocol, Delegated Routing V1, and a page for people. It opens no socket. */
import { type Context, Hono } from "hono";
import { NethoodError } from "../../src/errors.ts";
import { Refusal } from "../../src/routing/announce.ts";
import { keyId } from "../../src/routing/key.ts";
import type { Found, Tracker } from "../../src/tracker.ts";
import { placeOf } from "../../src/tracker/hash.ts";
import { errorResponse, failureResponse } from "../error.ts";
import { languageOf } from "../language.ts";
import { trackerPage } from "../pages/tracker.ts";
import { line, page } from "../reply.ts";
import { createRoutes, type Source } from "../routing/routes.ts";
import type { ServerTraits } from "../file.ts";
import { createPosts, createProtocol, storeAway, tooMany } from "./announce.ts";
import { type Client, createClients } from "./asker.ts";
import { createLimiter, type Rate } from "./limits.ts";
import { createQuick } from "./quick.ts";
import { Asked, metricsResponse, statsResponse } from "./stats.ts";

/** What a request costs of its network's bucket: a signature, or up to a hundred counts, take longer than a look-up. */
const COSTS: [prefix: string, kind: string, tokens: number][] = [
  ["/routing/v1/ipns/", "ipns", 4],
  ["/routing/v1/", "routing", 1],
  ["/tracker/v1/announce", "announce", 4],
  ["/tracker/v1/renew", "renew", 1],
  ["/tracker/v1/scrape", "scrape", 4],
  ["", "other", 2],
];

export interface TrackerAppOptions {
  /** Told what went wrong inside. Default: silence. */
  log?: (line: string) => void;
  /** IP addresses of reverse proxies, or their networks, whose `X-Forwarded-For` is believed. Default: none. */
  trustProxy?: string[];
  /** How often one network may ask; this machine's own programs always may. */
  rate?: Rate;
}

/** @throws {NethoodError} BAD_OPTION for a proxy that is no address */
export function createTrackerApp(tracker: Tracker, options: TrackerAppOptions = {}): Hono {
  const { log = () => undefined, trustProxy, rate = {} } = options;
  const clientOf = createClients(trustProxy);
  const limiter = createLimiter(rate, tracker.now);
  const asked = new Asked();
  const app = new Hono();

  const posts = createPosts(tracker);
  const quick = createQuick(tracker, posts);
  const route = app.fetch;
  const clientIn = (c: Context) => clientOf(c.req.raw.headers, (c.env as ServerTraits)?.client);
  // In front of Hono, as the whole of it: also what is quick is counted, and limited.
  app.fetch = async (request, env, ...rest) => {
    const { url } = request;
    const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
    const [, kind, tokens] = COSTS.find(([of]) => path.startsWith(of))!;
    const client = clientOf(request.headers, (env as ServerTraits | undefined)?.client);
    const wait = client.own ? 0 : limiter.take(client.network, tokens);
    const answer = wait > 0
      ? tooMany(wait, tracker.now())
      : await quickly(request, path, client) ?? await route(request, env, ...rest);
    asked.count(kind, answer.status);
    return answer;
  };
  app.request = async (input, init, env) =>
    await app.fetch(input instanceof Request ? input : new Request(String(input), init), env);

  /** A body that was read cannot be read again: what fails is told here, as the routes would. */
  async function quickly(request: Request, path: string, client: Client) {
    try {
      return await quick(request, path, client);
    } catch (error) {
      if (isStoreAway(error)) return storeAway(tracker.now());
      log(`unexpected: ${error instanceof Error ? error.stack : error}`);
      const body = { error: "Something went wrong inside this tracker.", time: tracker.now() };
      return Response.json(body, { status: 500 });
    }
  }

  function failed(error: Error, c: Context): Response | Promise<Response> {
    if (isStoreAway(error)) return storeAway(tracker.now());
    if (!(error instanceof NethoodError)) log(`unexpected: ${error.stack}`);
    else log(error.message);
    const hint = "Whoever runs it finds the reason in its log.";
    const message = "Something went wrong inside this tracker.";
    return failureResponse(c, { status: 500, message, hint }, { "Cache-Control": "no-store" });
  }

  const protocol = createProtocol(tracker);
  app.all("/tracker/v1", (c) => protocol.fetch(c.req.raw, c.env));
  app.all("/tracker/v1/*", (c) => protocol.fetch(c.req.raw, c.env));
  const routes = createRoutes(source(tracker, clientIn), log);
  routes.onError((error, c) =>
    isStoreAway(error) ? storeAway(tracker.now()) : errorResponse(error, c, log)
  );
  app.all("/routing/v1/*", (c) => routes.fetch(c.req.raw, c.env));
  app.get("/stats.json", () => statsResponse(tracker));
  app.get("/metrics", () => metricsResponse(tracker, asked));
  app.get("/", async (c) => {
    const { id, url } = tracker;
    const language = languageOf(c.req.header("accept-language"));
    const body = trackerPage({ id, url, ...await tracker.stats() }, language);
    return await page(body, 200, { Vary: "Accept-Language" });
  });
  app.all("*", () => line("There are /tracker/v1, /routing/v1, /stats.json and / here.", 404));
  for (const part of [app, protocol]) part.onError(failed);
  return app;
}

/** Whoever runs the tracker is told of that once, by the store. */
function isStoreAway(error: unknown): boolean {
  return error instanceof NethoodError && error.code === "STORE_UNREACHABLE";
}

function source(
  tracker: Tracker,
  clientOf: (c: Context) => Client,
): Source {
  return {
    async providers(c: Context, cid) {
      const found = await tracker.providers(keyId(cid), clientOf(c));
      return found instanceof Refusal ? line(found.error, found.status) : listed(found);
    },
    peer: async (c, id) => listed(await tracker.peer(id.toString(), clientOf(c))),
    closest: async (c, multihash) => listed(await tracker.closest(placeOf(multihash), clientOf(c))),
    names: () => tracker.names,
    takes: () => true,
  };
}

function listed({ records, shared }: Found) {
  return { records: records === "" ? [] : records.split(",\n"), shared };
}
