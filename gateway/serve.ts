/** Opens the socket: Deno's own server on Deno, @hono/node-server on Node. The only file that knows which it is. */
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6, Server as NetServer } from "node:net";
import { NethoodError, systemCode } from "../src/errors.ts";
import { asked, send } from "./direct.ts";
import type { ServerTraits } from "./file.ts";
import type { Hot } from "./hot.ts";
import { createTurns, TURN_BYTES } from "./turns.ts";

export interface ServeOptions {
  /** Default: 7080. 0 takes any free port. */
  port?: number;
  /** Default: 127.0.0.1, this machine alone. Anything wider lets others read through this node: they see what it has opened. */
  hostname?: string;
}

export interface Server extends AsyncDisposable {
  /** Such as `http://127.0.0.1:7080`. */
  readonly url: string;
  /** Ends the socket; requests under way get `grace` milliseconds (default 1,000) to finish. */
  close(options?: { grace?: number }): Promise<void>;
}

export const DEFAULT_PORT = 7080;

/** Default of `close`, in milliseconds. */
const GRACE_MS = 1_000;

/** More than the system takes at once for a client that is slow to read. */
const LARGE_BYTES = 64 * 1024;

/** What the gateway is told; both servers cut what ends too early: Deno's does, and Node's is told to below. */
function traits(client = ""): ServerTraits {
  return { cutsShortBodies: true, client };
}

/**
 * A client that wants a tunnel (CONNECT) to a site gets this server itself at the other end, whatever it named: nothing is ever
 * dialled. TLS with a site cannot be had so, and a refusal is easier to understand than a handshake that fails.
 */
const TLS_PORT = /:443$/;
const NO_TLS = "This proxy opens http:// addresses only: set none for https:// ones.\n";

interface App {
  fetch:
    & ((request: Request, env?: ServerTraits) => Response | Promise<Response>)
    & Partial<Hot>;
}

/** What is used of Deno. */
interface DenoServe {
  serve(
    options: {
      port: number;
      hostname: string;
      signal: AbortSignal;
      onListen: () => void;
      onError: () => Response;
    },
    fetch: (
      request: Request,
      info: { completed: Promise<void>; remoteAddr: { hostname?: string; port?: number } },
    ) => Response | Promise<Response>,
  ): { addr: { port: number }; finished: Promise<void> };
}

/** @throws {NethoodError} PORT_IN_USE, BAD_OPTION */
export async function serve(app: App, options: ServeOptions = {}): Promise<Server> {
  const { port = DEFAULT_PORT, hostname = "127.0.0.1" } = options;
  const deno = (globalThis as { Deno?: DenoServe }).Deno;
  try {
    const running = deno ? onDeno(deno, app, port, hostname) : await onNode(app, port, hostname);
    const url = `http://${isIPv6(hostname) ? `[${hostname}]` : hostname}:${running.port}`;
    let closing: Promise<void> | undefined;
    const close: Server["close"] = ({ grace = GRACE_MS } = {}) => closing ??= running.close(grace);
    return { url, close, [Symbol.asyncDispose]: () => close() };
  } catch (error) {
    throw listenError(error, hostname, port);
  }
}

/** What Deno asks for where a body fails: the connection is cut, and who made the body has told why. */
const cutOff = () => new Response(null, { status: 500 });

interface Running {
  port: number;
  close(grace: number): Promise<void>;
}

function onDeno(deno: DenoServe, app: App, port: number, hostname: string): Running {
  const stop = new AbortController();
  const underway = createUnderway();
  const turns = createTurns();
  const server = deno.serve(
    { port, hostname, signal: stop.signal, onListen: () => undefined, onError: cutOff },
    (request, info) => {
      if (request.method === "CONNECT") {
        // Deno's server goes on with the same connection after a tunnel's empty 200.
        const refused = TLS_PORT.test(request.url);
        return refused ? new Response(NO_TLS, { status: 501 }) : new Response(null);
      }
      let whole = false;
      let inTurn = false;
      const { remoteAddr } = info;
      turns.asked(remoteAddr);
      const answer = app.fetch(request, {
        ...traits(remoteAddr.hostname),
        shares: "clones",
        handedOver(bytes) {
          whole = true;
          if (bytes >= LARGE_BYTES) underway.linger();
          inTurn = bytes >= TURN_BYTES;
        },
      });
      // A body that it has whole counts as sent at once. To be told so costs a promise, which may outlive its request by far.
      if (!whole) {
        underway.began();
        info.completed.then(underway.ended, underway.ended); // A client that leaves is no failure of ours.
      }
      return inTurn && answer instanceof Response ? turns.take(remoteAddr, answer) : answer;
    },
  );
  return {
    port: server.addr.port,
    async close(grace) {
      // Not `server.shutdown()`: it waits for the last byte without end, and cannot be cut short any more.
      await underway.end(grace);
      stop.abort();
      await server.finished;
    },
  };
}

async function onNode(app: App, port: number, hostname: string): Promise<Running> {
  const { getRequestListener } = await import("@hono/node-server");
  const underway = createUnderway();
  const began = (outgoing: ServerResponse) => {
    underway.began();
    outgoing.once("close", underway.ended);
  };
  const listener = getRequestListener((request, { incoming, outgoing }) => {
    (outgoing as ServerResponse).strictContentLength = true;
    began(outgoing as ServerResponse);
    const cut = () => outgoing.destroy();
    return app.fetch(request, {
      ...traits(incoming.socket.remoteAddress),
      shares: "bytes",
      piece: Infinity,
      cut,
    });
  });
  // A request without a body, which is nearly every one, then costs no stream of one: a fifth more of them a second.
  const server = createServer({ optimizeEmptyRequests: true }, (incoming, outgoing) => {
    const plain = app.fetch.ready && asked(incoming);
    const answer = plain && app.fetch.ready?.(plain);
    if (answer === undefined || !send(answer, outgoing)) return void listener(incoming, outgoing);
    if (answer.bytes >= LARGE_BYTES) began(outgoing); // A smaller one counts as sent at once.
  });
  server.on("connect", (request, socket, head) => {
    if (TLS_PORT.test(request.url!)) {
      socket.on("error", () => socket.destroy()); // It may be gone; nobody else listens any more.
      socket.end(`HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n${NO_TLS}`);
      return;
    }
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.unshift(head);
    server.emit("connection", socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(grace) {
      // Not the server's own yet: to it a connection is idle as soon as the last byte has been given to it.
      const closed = new Promise((resolve) => NetServer.prototype.close.call(server, resolve));
      await underway.end(grace);
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The answers that are on their way. They are counted, no more: this is done for every request. */
function createUnderway() {
  let answers = 0;
  let over = () => {};
  let lingering = -Infinity;
  return {
    began(): void {
      answers++;
    },
    ended(): void {
      if (--answers === 0) over();
    },
    /** An answer of which nobody tells when it has been sent, so that it gets all of its time. */
    linger(): void {
      lingering = performance.now();
    },
    /** Fulfilled when all of them have been sent, or after so many milliseconds. */
    async end(grace: number): Promise<void> {
      const lingered = sleep(lingering + grace - performance.now());
      if (answers > 0) {
        const ended = Promise.withResolvers<void>();
        over = ended.resolve;
        const timer = setTimeout(over, grace);
        await ended.promise;
        clearTimeout(timer);
      }
      await lingered;
    },
  };
}

async function sleep(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function listenError(cause: unknown, hostname: string, port: number): NethoodError {
  if (systemCode(cause) === "EADDRINUSE") {
    return new NethoodError(
      "PORT_IN_USE",
      `Port ${port} of ${hostname} is in use by another program.`,
      { cause, hint: "Choose another with --port, or --port 0 for any that is free." },
    );
  }
  // Deno has no code for a name that does not exist, or a port that is no number: whatever it is, these two are to blame.
  return new NethoodError("BAD_OPTION", `${hostname}:${port} cannot be listened on.`, {
    cause,
    hint: "Use an address of this machine with --host, and a port from 1024 to 65535 with --port.",
  });
}
