/** Reads a file through a gateway that need not be trusted: every byte is checked here. Run: deno run -P examples/verified.ts ipfs://CID https://gateway.example.com, without the second through your own node. */
import process from "node:process";
import { createVerifiedFetch } from "@helia/verified-fetch";

const [address = "ipfs://bafkqad2imvwgy3zmebzgkylemvzcccq", gateway = "http://127.0.0.1:7080"] =
  process.argv.slice(2);
const alone = { addresses: { listen: [] }, transports: [], peerDiscovery: [], services: {} };
const fetch = await createVerifiedFetch({
  gateways: [gateway],
  routers: [gateway], // they tell what an IPNS key means now; its signature is checked, too
  allowInsecure: true, // for http://, which is as good: what comes is checked
  allowLocal: true,
  libp2pConfig: alone, // no other source
});
// It goes on asking until it has what is right, or is told to stop.
const response = await fetch(address, { signal: AbortSignal.timeout(60_000) });
if (!response.ok) console.error(`${response.status} ${response.statusText}`);
else {
  for await (const bytes of response.body!) {
    await new Promise((sent) => process.stdout.write(bytes, sent));
  }
}
await fetch.stop();
process.exit(response.ok ? 0 : 1); // a lock that Helia shares with worker threads would keep Deno from ending
