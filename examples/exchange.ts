/** Two nodes on one machine exchange a file. Run: deno run -P examples/exchange.ts */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNode, createSeeder } from "../mod.ts";

const dir = await mkdtemp(join(tmpdir(), "nethood-"));
await writeFile(join(dir, "hello.txt"), "Hello, neighbour!\n");
const listen = ["/ip4/127.0.0.1/tcp/0"];
{
  await using alice = await createNode({ dir: join(dir, ".alice"), listen, mdns: false });
  await using bob = await createNode({
    dir: join(dir, ".bob"),
    listen,
    mdns: false,
    peers: alice.addresses,
  });
  const { cid } = await createSeeder(alice).publish(dir, { name: "hello.example.org" });
  const { entry } = await bob.open(`/ipfs/${cid}/hello.txt`);
  if (entry.kind === "file") {
    for await (const bytes of entry.bytes()) {
      console.log("bob got:", new TextDecoder().decode(bytes));
    }
  }
}
await rm(dir, { recursive: true });
