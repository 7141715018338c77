/** Publishes a folder and prints the DNS record for it. Run: deno run -P examples/seeder.ts ./site docs.example.org */
import process from "node:process";
import { createNode, createSeeder } from "../mod.ts";

await using node = await createNode({ dir: process.env.NETHOOD_DIR ?? "./data" });
const site = await createSeeder(node).publish(process.argv[2] ?? "./examples", {
  name: process.argv[3] ?? "docs.example.org",
  onProgress: ({ files, totalFiles }) => console.error(`${files} of ${totalFiles}`),
});
console.log(String(site.cid));
console.log(site.dnslink);
