/**
 * Streams of libp2p and nothing else (TCP, noise, yamux), as an agent: what any protocol on them can hope for. A reader takes an
 * equal part of everything from each of the others. Who has what is no question here: all send bytes that mean nothing.
 */
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { multiaddr } from "@multiformats/multiaddr";
import { createLibp2p } from "libp2p";
import { until } from "../../helpers/until.ts";
import { config, MEET_MS, obey, tell } from "./talk.ts";

const PROTOCOL = "/nethood-bench/bare/1";
const WRITE_BYTES = 256 * 1024;

const { address, bytes, before, others } = config();
const host = await createLibp2p({
  addresses: { listen: [`/ip4/${address}/tcp/0`] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
});
const piece = crypto.getRandomValues(new Uint8Array(WRITE_BYTES / 4));
const write = new Uint8Array(WRITE_BYTES);
for (let at = 0; at < WRITE_BYTES; at += piece.byteLength) write.set(piece, at);
await host.handle(PROTOCOL, async (stream) => {
  for (let left = Math.ceil(bytes / others); left > 0; left -= WRITE_BYTES) {
    if (!stream.send(write.subarray(0, Math.min(left, WRITE_BYTES)))) await stream.onDrain();
  }
  await stream.close();
});
tell("ready", { address, multiaddr: String(host.getMultiaddrs()[0]) });

await obey({
  async meet(everyone) {
    for (const { address, multiaddr: at } of everyone) {
      if (before.includes(address)) await host.dial(multiaddr(String(at)));
    }
    await until("all are connected", () => host.getConnections().length >= others, MEET_MS);
  },
  async go() {
    let read = 0;
    await Promise.all(
      host.getConnections().map(async (connection) => {
        const stream = await connection.newStream(PROTOCOL);
        for await (const data of stream) read += data.byteLength;
      }),
    );
    return () => String(Math.min(read, bytes)); // a part was rounded up
  },
  stop: async () => await host.stop(),
});
