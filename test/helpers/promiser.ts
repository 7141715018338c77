/**
 * A peer that speaks the swarm's protocol, says that it has whatever it is told of, and never sends any of it; or begins to, and
 * sends a byte now and then.
 */
import type { Stream } from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import { FrameDecoder } from "../../src/swarm/decoder.ts";
import { encodeBlockHeader, encodeFrame, PROTOCOL, WANTING } from "../../src/swarm/frame.ts";
import { createBareHost } from "./bare-host.ts";

export interface Promiser extends AsyncDisposable {
  readonly addresses: string[];
  /** How many blocks it was asked for. */
  readonly asked: number;
}

/** How often a byte is sent, in milliseconds, and of how many. */
const DRIP_MS = 300, SIZE = 100_000;

export async function createPromiser(
  { drips = false }: { drips?: boolean } = {},
): Promise<Promiser> {
  let asked = 0;
  const taps = new Set<ReturnType<typeof setInterval>>();
  const libp2p = await createBareHost();

  function promise(stream: Stream): void {
    const decoder = new FrameDecoder();
    stream.addEventListener("message", ({ data }) => {
      for (const frame of decoder.push(data instanceof Uint8Array ? data : data.subarray())) {
        if (frame.type === "request") {
          asked += frame.indices.length;
          if (drips && taps.size === 0) drip(stream, frame.group);
        }
        if (frame.type !== "open") continue;
        const { group, cid } = frame;
        // It reads it too, it says: a seeder would be given more time.
        const mine = { group, cid, flags: WANTING, count: 1, bits: Uint8Array.of(1) };
        stream.send(encodeFrame({ type: "open", ...mine }));
      }
    });
    stream.send(encodeFrame({ type: "hello", flags: 0 }));
  }

  function drip(stream: Stream, group: number): void {
    let offset = 0;
    taps.add(setInterval(() => {
      if (stream.status !== "open") return;
      const header = encodeBlockHeader(group, 0, offset++, SIZE, 1);
      stream.send(new Uint8ArrayList(header, Uint8Array.of(7)));
    }, DRIP_MS));
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
    [Symbol.asyncDispose]: async () => {
      taps.forEach(clearInterval);
      await libp2p.stop();
    },
  };
}
