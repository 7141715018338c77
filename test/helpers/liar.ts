/** A peer that says it has whatever it is asked for, and then sends what it pleases. */
import type { Libp2p, PeerId, Stream } from "@libp2p/interface";
import type { CID } from "multiformats/cid";
import { createBareHost } from "./bare-host.ts";
import { BITSWAP, concat, decodeWants, encodeMessage, frame } from "./bitswap-wire.ts";

/** What is sent in answer to a want, as bytes of a stream; undefined: nothing. */
export type Lie = (wanted: CID) => Uint8Array | undefined;

export interface Liar extends AsyncDisposable {
  readonly id: string;
  readonly libp2p: Libp2p;
  readonly addresses: string[];
  /** What it was asked for, the first first. */
  readonly asked: readonly CID[];
  /** Sends bytes that answer no want; those who hang up meanwhile do not matter. */
  send(peer: PeerId, bytes: Uint8Array): Promise<void>;
}

export async function createLiar(
  lie: Lie,
  options?: Parameters<typeof createBareHost>[0],
): Promise<Liar> {
  const asked: CID[] = [];
  const libp2p = await createBareHost(options);

  async function send(peer: PeerId, bytes: Uint8Array): Promise<void> {
    try {
      const stream = await libp2p.dialProtocol(peer, BITSWAP);
      if (!stream.send(bytes)) await stream.onDrain();
      await stream.close();
    } catch (error) {
      if (libp2p.getConnections(peer).length > 0) throw error;
    }
  }

  await libp2p.handle(BITSWAP, async (stream, { remotePeer }) => {
    for (const cid of decodeWants(await readAll(stream))) {
      asked.push(cid);
      await send(remotePeer, frame(encodeMessage({ have: [cid] })));
      const answer = lie(cid);
      if (answer !== undefined) await send(remotePeer, answer);
    }
  });
  return {
    id: libp2p.peerId.toString(),
    libp2p,
    get addresses() {
      return libp2p.getMultiaddrs().map(String);
    },
    asked,
    send,
    [Symbol.asyncDispose]: async () => void await libp2p.stop(),
  };
}

async function readAll(stream: Stream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part instanceof Uint8Array ? part : part.subarray());
  return concat(...parts);
}
