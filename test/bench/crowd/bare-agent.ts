/** A stream of libp2p and nothing else (TCP, noise, yamux), as an agent: what any protocol on it can hope for. */
import type { Connection } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { config, obey, tell } from "./talk.ts";

const PROTOCOL = "/nethood-bench/bare/1";
const WRITE_BYTES = 256 * 1024;

const { role, address, options } = config();
const bytes = options.bytes as number;
const host = await createLibp2p({
  addresses: { listen: [`/ip4/${address}/tcp/0`] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
});
if (role === "seeder") {
  await host.handle(PROTOCOL, async (stream) => {
    const piece = crypto.getRandomValues(new Uint8Array(WRITE_BYTES / 4));
    const write = new Uint8Array(WRITE_BYTES);
    for (let at = 0; at < WRITE_BYTES; at += piece.byteLength) write.set(piece, at);
    for (let left = bytes; left > 0; left -= WRITE_BYTES) {
      if (!stream.send(write.subarray(0, Math.min(left, WRITE_BYTES)))) await stream.onDrain();
    }
    await stream.close();
  });
}
tell("ready", { address, multiaddr: String(host.getMultiaddrs()[0]) });

let connection: Connection;
await obey({
  async meet([seeder]) {
    if (role === "reader") connection = await host.dial(multiaddr(String(seeder!.multiaddr)));
  },
  async go() {
    const stream = await connection.newStream(PROTOCOL);
    let read = 0;
    for await (const data of stream) read += data.byteLength;
    return () => String(read);
  },
  stop: async () => await host.stop(),
});
