/** `nethood tracker`: tells readers of sites about each other. */
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { NethoodError } from "../errors.ts";
import { defaultDir } from "../dir.ts";
import type { Settings } from "../options.ts";
import type { TrackerStore } from "../tracker.ts";
import { parseStoreUrl, type StoreAddress } from "../tracker/redis-url.ts";
import { parsePort } from "../values.ts";
import type { Run } from "./run.ts";

/** Where it listens unless told otherwise: nobody else can reach it there. */
const LISTEN = "127.0.0.1:7070";

/** Addresses that stand for all of this machine's. */
const EVERYWHERE = ["0.0.0.0", "::"];

export const tracker: Run = async (settings, around, teller) => {
  const dir = settings.dir ?? defaultDir(around.env);
  const { trustProxy, url } = settings;
  const { host, port } = listenAt(settings.listen);
  const { createTracker, parseRules } = await import("../tracker.ts");
  const { createTrackerApp } = await import("../../gateway/tracker/app.ts");
  const { serve } = await import("../../gateway/serve.ts");
  const rules = settings.rules === undefined
    ? undefined
    : parseRules(await readRules(settings.rules));
  const given = url === undefined ? undefined : parseUrl(url);
  const shared = settings.store === undefined ? undefined : parseStoreUrl(settings.store);

  // The port is known only when it is open, and by then there has to be somebody who answers.
  const ready = Promise.withResolvers<{ fetch: Parameters<typeof serve>[0]["fetch"] }>();
  ready.promise.catch(() => undefined); // What went wrong is thrown below.
  const app: Parameters<typeof serve>[0] = {
    fetch: async (request, env) => await (await ready.promise).fetch(request, env),
  };
  await using ending = new AsyncDisposableStack();
  const server = await serve(app, { hostname: host, port }).catch((error) => {
    throw asListen(error, host, port);
  });
  try {
    const urls = given ? [given] : urlsOf(host, new URL(server.url).port);
    const store = shared && ending.use(await openShared(shared, teller.note));
    const running = ending.use(
      await createTracker({
        ...{ dir, urls, log: teller.note },
        ...(rules && { rules }),
        ...(store && { store }),
      }),
    );
    const answering = createTrackerApp(running, {
      log: teller.note,
      ...(trustProxy && { trustProxy }),
    });
    // From now on without a step between.
    app.fetch = answering.fetch as typeof app.fetch;
    ready.resolve(app);
    ending.use(server);
    around.signal.throwIfAborted();
    const { id } = running;
    const dns = `_nethood.docs.example.org. TXT "tracker=${running.url}"`;
    teller.tell(
      "ready",
      {
        ...{ url: running.url, urls, listen: server.url, id, dir, dns },
        ...(shared && { store: shared.text }),
      },
      `
The tracker is running. Ctrl-C stops it; what was announced stays.

  URL        ${urls.join("\n             ")}
  Peer ID    ${id}
  Folder     ${dir}${shared ? `\n  Store      ${shared.text}` : ""}
  Look at it ${urls.at(-1)}/

Put this record into the DNS of each site that is to be found through it:

  ${dns}

and start nodes and seeders with --tracker ${running.url}
`,
    );
    if (given === undefined && new URL(running.url).protocol === "http:") {
      teller.note(
        "Behind a reverse proxy with a certificate, name its address with --url https://…, and the proxy with --trust-proxy.",
      );
    }
    await new Promise<void>((resolve) => {
      around.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    teller.note("Stopping.");
  } catch (error) {
    ready.reject(error);
    await server.close();
    throw error;
  }
};

/** Loaded only where it is used. */
async function openShared(at: StoreAddress, log: (line: string) => void): Promise<TrackerStore> {
  const { RedisStore } = await import("../tracker/redis.ts");
  return await RedisStore.open(at, log);
}

/** @throws {NethoodError} BAD_OPTION */
function listenAt(listen: Settings["listen"]): { host: string; port: number } {
  const [text = LISTEN, more] = listen ?? [];
  const [, host, port] =
    /^(?:\[([^\]]+)\]|([^:/]+)):(\d+)$/.exec(text)?.filter((part) => part !== undefined) ?? [];
  if (host !== undefined && port !== undefined && more === undefined) {
    return { host, port: parsePort(port) };
  }
  const said = more === undefined ? `"${text}" is no host and port.` : "A tracker listens once.";
  throw new NethoodError("BAD_OPTION", said, {
    hint: "Write --listen 0.0.0.0:7070, or --listen [::]:7070.",
  });
}

/** @throws {NethoodError} BAD_OPTION */
function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && !url.search) {
    return url.origin;
  }
  throw new NethoodError("BAD_OPTION", `"${text}" is not the URL of a tracker.`, {
    hint: "It has no path: https://tracker.example.org",
  });
}

/** Every URL at which this machine is reached, the one that reaches farthest first. */
function urlsOf(host: string, port: string): string[] {
  const hosts = EVERYWHERE.includes(host)
    ? [
      ...Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
        .filter(({ internal, address }) => !internal && (host === "::" || !isIPv6(address)))
        .filter(({ address }) => !address.startsWith("fe80:"))
        .map(({ address }) => address),
      "127.0.0.1",
      "localhost",
    ]
    : host === "127.0.0.1" || host === "::1"
    ? [host, "localhost"]
    : [host];
  return hosts.map((name) => `http://${isIPv6(name) ? `[${name}]` : name}:${port}`);
}

async function readRules(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new NethoodError("BAD_OPTION", `The rules ${file} cannot be read.`, {
      cause,
      hint: "Name a file that you may read with --rules.",
    });
  }
}

/** The same said of the option that a tracker has. */
function asListen(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof NethoodError)) return error;
  const hint = error.code === "PORT_IN_USE"
    ? "Choose another with --listen HOST:PORT, or port 0 for any that is free."
    : "Use an address of this machine with --listen HOST:PORT.";
  const { code, message, cause } = error;
  return new NethoodError(code, message || `${host}:${port} cannot be listened on.`, {
    cause,
    hint,
  });
}
