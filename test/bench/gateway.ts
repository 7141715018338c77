/**
 * Prints the README's table of the gateway: hot content against nginx, which serves the same bytes from disk, and against Kubo
 * where it is installed. Every server has the first core of the machine to itself, whoever asks has the second.
 * Run: deno task bench:gateway, or node test/bench/gateway.ts
 */
import { cpus } from "node:os";
import process from "node:process";
import { createFolder } from "../helpers/folder.ts";
import { measureConnections } from "./gateway-connections.ts";
import { measureDirectories } from "./gateway-directories.ts";
import { missingTools } from "./gateway-load.ts";
import { measureRates } from "./gateway-rates.ts";
import { startServers } from "./gateway-servers.ts";
import { createContent } from "./gateway-site.ts";
import { print, say } from "./table.ts";

const missing = missingTools() ?? (cpus().length < 2 ? "it takes two cores" : undefined);
if (missing !== undefined) {
  say(`The gateway cannot be measured here: ${missing}.`);
  process.exit(1);
}
await using dir = await createFolder();
say("writing the content");
const content = await createContent(dir.path);
await using servers = await startServers(dir.path, content);
// First, while nothing has been asked for yet.
const connections = await measureConnections(servers.ours);
print([
  ...await measureRates(servers),
  ...await measureDirectories(servers.ours, content),
  ...connections,
]);
