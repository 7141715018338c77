/** Opens the socket: Deno's own server on Deno, @hono/node-server on Node. The only file that knows which it is. */
import { type AddressInfo, isIPv6 } from "node:net";
import { NethoodError, systemCode } from "../src/errors.ts";

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

type Fetch = (request: Request) => Response | Promise<Response>;

/** What is used of Deno. */
interface DenoServe {
  serve(
    options: { port: number; hostname: string; onListen: () => void },
    fetch: Fetch,
  ): { addr: { port: number }; finished: Promise<void>; shutdown(): Promise<void> };
}

/** @throws {NethoodError} PORT_IN_USE, BAD_OPTION */
export async function serve(app: { fetch: Fetch }, options: ServeOptions = {}): Promise<Server> {
  const { port = DEFAULT_PORT, hostname = "127.0.0.1" } = options;
  const deno = (globalThis as { Deno?: DenoServe }).Deno;
  try {
    const running = deno ? onDeno(deno, app, port, hostname) : await onNode(app, port, hostname);
    const url = `http://${isIPv6(hostname) ? `[${hostname}]` : hostname}:${running.port}`;
    const close: Server["close"] = ({ grace = 1_000 } = {}) => running.close(grace);
    return { url, close, [Symbol.asyncDispose]: () => close() };
  } catch (error) {
    throw listenError(error, hostname, port);
  }
}

interface Running {
  port: number;
  close(grace: number): Promise<void>;
}

function onDeno(deno: DenoServe, app: { fetch: Fetch }, port: number, hostname: string): Running {
  const server = deno.serve(
    { port, hostname, onListen: () => undefined },
    (request) => app.fetch(request),
  );
  return {
    port: server.addr.port,
    async close(grace) {
      // Aborting a server that is shutting down throws where nobody can catch it: those who take longer are left to
      // themselves, and get nothing more once the node has stopped.
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, grace);
      await Promise.race([server.shutdown(), late.promise]);
      clearTimeout(timer);
    },
  };
}

async function onNode(app: { fetch: Fetch }, port: number, hostname: string): Promise<Running> {
  const { createAdaptorServer } = await import("@hono/node-server");
  const server = createAdaptorServer({ fetch: app.fetch }) as import("node:http").Server;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(grace) {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), grace);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listenError(error: unknown, hostname: string, port: number): unknown {
  const code = systemCode(error);
  if (code === "EADDRINUSE") {
    return new NethoodError(
      "PORT_IN_USE",
      `Port ${port} of ${hostname} is in use by another program.`,
      {
        cause: error,
        hint: "Choose another with --port, or --port 0 for any that is free.",
      },
    );
  }
  if (code === "EADDRNOTAVAIL" || code === "EACCES" || code === "ENOTFOUND") {
    return new NethoodError("BAD_OPTION", `${hostname}:${port} cannot be listened on.`, {
      cause: error,
      hint: "Use an address of this machine with --host, and a port above 1023 with --port.",
    });
  }
  return error;
}
