/** A peer that speaks the swarm's protocol, says that it has whatever it is told of, and never sends any of it. */
import { identify } from "@libp2p/identify";
import type { Stream } from "@libp2p/interface";
import { noise } from "@libp2p/noise";
import { tcp } from "@libp2p/tcp";
import { yamux } from "@libp2p/yamux";
import { createLibp2p } from "libp2p";
import { FrameDecoder } from "../../src/swarm/decoder.ts";
import { encodeFrame, PROTOCOL, WANTING } from "../../src/swarm/frame.ts";

export interface Promiser extends AsyncDisposable {
  readonly addresses: string[];
  /** How many blocks it was asked for. */
  readonly asked: number;
}

export async function createPromiser(): Promise<Promiser> {
  let asked = 0;
  const libp2p = await createLibp2p({
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
  });

  function promise(stream: Stream): void {
    const decoder = new FrameDecoder();
    stream.addEventListener("message", ({ data }) => {
      for (const frame of decoder.push(data instanceof Uint8Array ? data : data.subarray())) {
        if (frame.type === "request") asked += frame.indices.length;
        if (frame.type !== "open") continue;
        const { group, cid } = frame;
        // It reads it too, it says: a seeder would be given more time.
        const mine = { group, cid, flags: WANTING, count: 1, bits: Uint8Array.of(1) };
        stream.send(encodeFrame({ type: "open", ...mine }));
      }
    });
    stream.send(encodeFrame({ type: "hello", flags: 0 }));
  }

  await libp2p.handle(PROTOCOL, promise);
  libp2p.addEventListener("connection:open", async ({ detail: connection }) => {
    // Of two peers the one with the smaller ID opens the stream.
    if (libp2p.peerId.toString() > connection.remotePeer.toString()) return;
    promise(await connection.newStream(PROTOCOL));
  });
  return {
    get addresses() {
      return libp2p.getMultiaddrs().map(String);
    },
    get asked() {
      return asked;
    },
    [Symbol.asyncDispose]: async () => void await libp2p.stop(),
  };
}
