/** What the commands have in common: a node, its gateway, and a person who ends them. */
import type { Writable } from "node:stream";
import { serve, type Server } from "../../gateway/serve.ts";
import { defaultDir } from "../dir.ts";
import type { Node, NodeOptions } from "../node.ts";
import type { Settings } from "../options.ts";
import type { Teller } from "../teller.ts";
import { tellFollowing } from "./follow-texts.ts";
import { readPassphrase } from "./input.ts";

/** What the program has of its surroundings; the tests give it others. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  stdout: Writable;
  stderr: Writable;
  /** How this program is called, for the help. */
  run: string;
  /** Aborted when the person wants it to end. */
  signal: AbortSignal;
}

/** One command. */
export type Run = (settings: Settings, around: Surroundings, teller: Teller) => Promise<void>;

export async function start(
  settings: Settings,
  { env, signal }: Surroundings,
  teller: Teller,
): Promise<Node> {
  // Loaded only now: --help must not wait for all of libp2p.
  const { createNode } = await import("../node.ts");
  const { serveControl } = await import("../control.ts");
  const { methodsOf } = await import("./methods.ts");
  const { parseNameMap } = await import("../name/static.ts");
  const { listen, peers, dns, trackers, announce, mdns, push, nameMap, upload, download } =
    settings;
  const { bootstrap, dht, keysPassphraseFile } = settings;
  const options: NodeOptions = {
    dir: settings.dir ?? defaultDir(env),
    mdns,
    push,
    log: teller.note,
    signal,
    ...(listen && { listen }),
    ...(peers && { peers }),
    ...(dns && { dns }),
    ...(trackers && { trackers }),
    ...(bootstrap && { bootstrap }),
    ...(dht && { dht }),
    announce,
    ...(upload !== undefined && { upload }),
    ...(download !== undefined && { download }),
    ...(nameMap && { names: parseNameMap(nameMap) }),
    ...(keysPassphraseFile && { passphrase: await readPassphrase(keysPassphraseFile, signal) }),
  };
  const node = await createNode(options);
  // Ends first: who asks for something then is not left waiting for a node that is half gone.
  const control = await serveControl(node.dir, methodsOf(node), { log: teller.note });
  const stop = async () => {
    await control[Symbol.asyncDispose]();
    await node.stop();
  };
  return Object.create(node, { stop: { value: stop }, [Symbol.asyncDispose]: { value: stop } });
}

export async function openGateway(node: Node, settings: Settings, teller: Teller): Promise<Server> {
  const { createGateway } = await import("../../gateway/app.ts");
  const { port, host: hostname, gatewayHosts: hosts, trustProxy, patience } = settings;
  const options = {
    log: teller.note,
    ...(hosts && { hosts }),
    ...(trustProxy && { trustProxy }),
    ...(patience && { patience }),
  };
  return await serve(createGateway(node, options), {
    ...(port !== undefined && { port }),
    ...(hostname !== undefined && { hostname }),
  });
}

/** A node at the service of its person until they end it. */
export async function serveUntilEnd(
  node: Node,
  server: Server,
  { signal }: Surroundings,
  teller: Teller,
): Promise<void> {
  signal.throwIfAborted();
  tellFollowing(node, teller, signal);
  teller.ready(node, server.url);
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  teller.note("Stopping.");
}
