/**
 * Nethood: the web, carried by its readers. A node opens ordinary web addresses, keeps what it opened, and serves its neighbours.
 *
 * ```ts
 * import { createGateway, createNode, serve } from "@nethood/nethood";
 *
 * await using node = await createNode({ dir: "./data" });
 * await using server = await serve(createGateway(node), { port: 0 });
 * console.log(server.url);
 * ```
 *
 * @module
 */
export { createNode } from "./src/node.ts";
export { createGateway } from "./gateway/app.ts";
export { serve } from "./gateway/serve.ts";
export { createSeeder } from "./src/seeder.ts";
export { createSites } from "./src/site/sites.ts";
export { formatAddress, parseAddress } from "./src/content/address.ts";
export { NethoodError } from "./src/errors.ts";

export type { Node, NodeOptions, Opened, OpenOptions } from "./src/node.ts";
export type { KeepProgress, Whole } from "./src/content/whole.ts";
export type { Entry } from "./src/content/read.ts";
export type { GatewayNode, GatewayOptions } from "./gateway/app.ts";
export type { ServeOptions, Server } from "./gateway/serve.ts";
export type { Published, PublishOptions, Release, ReleaseOptions, Seeder } from "./src/seeder.ts";
export type { LoggedVersion, Site, Sites } from "./src/site/sites.ts";
export type { Change, Counts } from "./src/site/diff.ts";
export type { ListedVersion } from "./src/site/history.ts";
export type { Version } from "./src/site/version.ts";
export type { Address } from "./src/content/address.ts";
export type { ErrorCode } from "./src/errors.ts";
