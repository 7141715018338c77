/** A site on a node of its own: files in, and a gateway that opens them by CID, by key and by name. */
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import { createGateway, type GatewayNode, type GatewayOptions } from "../../gateway/app.ts";
import { createNode, type Node } from "../../src/node.ts";
import { createSeeder } from "../../src/seeder.ts";
import { createDnsServer, type DnsServer } from "./dns-server.ts";
import { addFiles, createFolder, type Files } from "./folder.ts";

/** The name under which every test site is published. */
export const SITE = "docs.example.org";

export interface Site extends AsyncDisposable {
  node: Node;
  app: ReturnType<typeof createGateway>;
  /** The root of the tree. */
  cid: CID;
  /** The IPNS key, base36. */
  key: string;
  dns: DnsServer;
  /** The node's folder. */
  dir: string;
  /** What the gateway logged. */
  log: string[];
  /** Asks the gateway, as a server would, but without a socket. */
  ask(url: string, init?: RequestInit): Promise<Response>;
}

export interface SiteOptions {
  /** May put something between the node and its gateway. */
  wrap?: (node: Node) => GatewayNode;
  /** Of the gateway, beside its log. */
  gateway?: GatewayOptions;
}

export async function createSite(
  files: Files,
  { wrap = (node) => node, gateway = {} }: SiteOptions = {},
): Promise<Site> {
  await using opened = new AsyncDisposableStack();
  const { path: dir } = opened.use(await createFolder());
  const source = join(dir, "site");
  await addFiles(source, files);
  const dns = opened.use(await createDnsServer({}));
  const node = opened.use(
    await createNode({
      dir: join(dir, "node"),
      listen: [],
      mdns: false,
      dns: [dns.address],
      timeout: 300,
    }),
  );
  const { cid, key } = await createSeeder(node).publish(source, { name: SITE });
  dns.zone[`_dnslink.${SITE}`] = { txt: [`dnslink=/ipns/${key}`], ttl: 60 };
  const log: string[] = [];
  const app = createGateway(wrap(node), { ...gateway, log: (line) => log.push(line) });
  const kept = opened.move();
  return {
    node,
    app,
    cid,
    key,
    dns,
    dir: join(dir, "node"),
    log,
    ask: async (url, init) => await app.fetch(new Request(url, init)),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
