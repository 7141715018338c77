/** A node in six lines: opens an ordinary address and prints the page. Run: deno run -P examples/node.ts http://docs.example.org/ */
import process from "node:process";
import { createNode } from "../mod.ts";

await using node = await createNode({ dir: process.env.NETHOOD_DIR ?? "./data" });
const address = process.argv[2] ?? "/ipfs/bafkqad2imvwgy3zmebzgkylemvzcccq";
const { entry } = await node.open(address, { index: true });
if (entry.kind === "file") { for await (const bytes of entry.bytes()) process.stdout.write(bytes); }
if (entry.kind === "directory") { for await (const { name } of entry.entries()) console.log(name); }
if (entry.kind === "symlink") console.log(`a link to ${entry.target}`);
