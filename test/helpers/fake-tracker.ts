/** A tracker without a memory of its own: it takes announces as the real one reads them, and answers what the test tells it to. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Announce, readAnnounce, Refusal } from "../../src/routing/announce.ts";

export interface FakeTracker extends AsyncDisposable {
  url: string;
  announces: Announce[];
  renewals: { token: string; given: number }[];
  /** Paths asked for with GET, and the answers: JSON, or what writes one. A record that is handed in is an answer from then on. */
  answers: Map<string, unknown>;
  asked: string[];
  /** What happens to announces: seconds until the next one, and how far the clock is ahead. */
  interval: number;
  ahead: number;
  /** Answers every request with this status. */
  broken: { status: number; headers?: Record<string, string> } | undefined;
  /** Answers no GET while this is set. */
  silent: boolean;
  /** How many who asked are still waiting for an answer. */
  readonly waiting: number;
  /** Forgets all tokens. */
  forget(): void;
}

export async function createFakeTracker(): Promise<FakeTracker> {
  let tokens = new Set<string>();
  const open = new Set<ServerResponse>();
  const server = createServer(async (request, response) => {
    open.add(response);
    response.on("close", () => open.delete(response));
    const { pathname } = new URL(request.url!, "http://x");
    const say = (status: number, body: unknown, headers = {}) => {
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    if (tracker.broken) return say(tracker.broken.status, {}, tracker.broken.headers);
    if (request.method === "GET") {
      tracker.asked.push(pathname);
      const answer = tracker.answers.get(pathname);
      if (answer === "hang" || tracker.silent) return;
      if (answer instanceof Uint8Array) {
        response.writeHead(200, { "Content-Type": "application/vnd.ipfs.ipns-record" });
        return response.end(answer);
      }
      return say(200, answer ?? { Providers: [] });
    }
    if (request.method === "PUT") {
      const parts: Uint8Array[] = [];
      for await (const part of request) parts.push(part);
      tracker.answers.set(
        pathname,
        new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()),
      );
      return say(200, {});
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const now = Date.now() + tracker.ahead;
    const { interval } = tracker;
    if (pathname === "/tracker/v1/renew") {
      const renewal = JSON.parse(body) as { token: string; given: number };
      if (!tokens.has(renewal.token)) return say(404, { error: "unknown token" });
      tracker.renewals.push(renewal);
      return say(200, { ttl: interval * 2, interval, time: now });
    }
    const announce = await readAnnounce(body, { origins: [tracker.url], now });
    if (announce instanceof Refusal) {
      return say(announce.status, { error: announce.error, time: now });
    }
    tracker.announces.push(announce);
    const token = crypto.randomUUID();
    tokens.add(token);
    say(200, { ttl: interval * 2, interval, token, time: now, refused: announce.refused });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const tracker: FakeTracker = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    announces: [],
    renewals: [],
    answers: new Map(),
    asked: [],
    interval: 60,
    ahead: 0,
    broken: undefined,
    silent: false,
    get waiting() {
      return open.size;
    },
    forget: () => tokens = new Set(),
    async [Symbol.asyncDispose]() {
      for (const response of open) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return tracker;
}
