/** A gateway inside another program. Run: deno run -P examples/gateway.ts, then open the address it prints. */
import process from "node:process";
import { createGateway, createNode, serve } from "../mod.ts";

await using node = await createNode({ dir: process.env.NETHOOD_DIR ?? "./data" });
const app = createGateway(node);
// It is an ordinary Hono app: routes can be added, or the whole mounted into another.
app.notFound((c) => c.text("not here\n", 404));
await using server = await serve(app, { port: 0 });
console.log(server.url);
const page = await fetch(`${server.url}/ipfs/bafkqad2imvwgy3zmebzgkylemvzcccq`);
console.log(page.status, (await page.text()).trim());
