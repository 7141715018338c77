/** Two nodes on one machine exchange a file. Run: deno run -P examples/exchange.ts */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, createSeeder } from "../mod.ts";

const dir = await mkdtemp(join(tmpdir(), "nethood-"));
await using _dir = { [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
const site = join(dir, "site");
await mkdir(site);
await writeFile(join(site, "hello.txt"), "Hello, neighbour!\n");

const quiet = { listen: ["/ip4/127.0.0.1/tcp/0"], mdns: false };
await using alice = await createNode({ ...quiet, dir: join(dir, "alice") });
await using bob = await createNode({ ...quiet, dir: join(dir, "bob"), peers: alice.addresses });

const { cid } = await createSeeder(alice).publish(site, { name: "hello.example.org" });
const { entry } = await bob.open(`/ipfs/${cid}/hello.txt`);
if (entry.kind !== "file") throw new Error(`hello.txt is a ${entry.kind}`);
for await (const bytes of entry.bytes()) {
  console.log("bob got:", new TextDecoder().decode(bytes).trim());
}
