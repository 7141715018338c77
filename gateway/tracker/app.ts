/** A tracker over HTTP: its own protocol, Delegated Routing V1, and a page for people. It opens no socket. */
import { type Context, Hono } from "hono";
import { NethoodError } from "../../src/errors.ts";
import { Refusal } from "../../src/routing/announce.ts";
import { keyId } from "../../src/routing/key.ts";
import type { Tracker } from "../../src/tracker.ts";
import { placeOf } from "../../src/tracker/hash.ts";
import { failureResponse } from "../error.ts";
import { languageOf } from "../language.ts";
import { trackerPage } from "../pages/tracker.ts";
import { line, page } from "../reply.ts";
import { createRoutes, type Source } from "../routing/routes.ts";
import { createProtocol, tooMany } from "./announce.ts";
import { createClients } from "./asker.ts";
import { createLimiter, type Rate } from "./limits.ts";
import { Asked, metricsResponse, statsResponse } from "./stats.ts";

/** What a request costs of its network's bucket: a signature, or up to a hundred counts, take longer than a look-up. */
const COSTS: [RegExp, kind: string, tokens: number][] = [
  [/^\/routing\/v1\/ipns\//, "ipns", 4],
  [/^\/routing\/v1\//, "routing", 1],
  [/^\/tracker\/v1\/announce$/, "announce", 4],
  [/^\/tracker\/v1\/renew$/, "renew", 1],
  [/^\/tracker\/v1\/scrape$/, "scrape", 4],
  [/^/, "other", 2],
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

  app.use("*", async (c, next) => {
    const { path } = c.req;
    const [, kind, tokens] = COSTS.find(([of]) => of.test(path))!;
    const client = clientOf(c);
    const wait = client.own ? 0 : limiter.take(client.network, tokens);
    if (wait > 0) {
      asked.count(kind, 429);
      return tooMany(wait, tracker.now());
    }
    await next();
    asked.count(kind, c.res.status);
  });

  const protocol = createProtocol(tracker, clientOf);
  app.all("/tracker/v1", (c) => protocol.fetch(c.req.raw, c.env));
  app.all("/tracker/v1/*", (c) => protocol.fetch(c.req.raw, c.env));
  const routes = createRoutes(source(tracker, clientOf), log);
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
  app.onError((error, c) => {
    if (!(error instanceof NethoodError)) log(`unexpected: ${error.stack}`);
    else log(error.message);
    const hint = "Whoever runs it finds the reason in its log.";
    const message = "Something went wrong inside this tracker.";
    return failureResponse(c, { status: 500, message, hint }, { "Cache-Control": "no-store" });
  });
  return app;
}

function source(
  tracker: Tracker,
  clientOf: ReturnType<typeof createClients>,
): Source {
  return {
    async providers(c: Context, cid) {
      const found = await tracker.providers(keyId(cid), clientOf(c));
      return found instanceof Refusal ? line(found.error, found.status) : found;
    },
    peer: (c, id) => tracker.peer(id.toString(), clientOf(c)),
    closest: (c, multihash) => tracker.closest(placeOf(multihash), clientOf(c)),
    names: () => tracker.names,
    takes: () => true,
  };
}
