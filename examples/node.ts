/** A node in six lines: open an ordinary address, print the page. Run: deno run -P examples/node.ts http://docs.example.org/ */
import process from "node:process";
import { createNode } from "../mod.ts";

await using node = await createNode({ dir: process.env.NETHOOD_DIR ?? "./data" });
const { entry } = await node.open(process.argv[2] ?? "/ipfs/bafkqad2imvwgy3zmebzgkylemvzcccq");
if (entry.kind === "file") { for await (const bytes of entry.bytes()) process.stdout.write(bytes); }
