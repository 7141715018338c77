/** Dials a peer to learn whether it is there: the handshake proves its ID. No more is said to it. */
import type { PrivateKey } from "@libp2p/interface";
import type { Libp2p } from "libp2p";

/** How long a dial may take, in milliseconds. */
const DIAL_MS = 5_000;

export interface Dialer extends AsyncDisposable {
  /** Whether the peer of this ID is at this multiaddr, which has its ID at the end. */
  (address: string): Promise<boolean>;
}

/** @param key who calls; the host starts with the first dial, since it takes time and memory */
export function createDialer(key: PrivateKey): Dialer {
  let host: Promise<Libp2p> | undefined;
  const dial = async (address: string) => {
    const [libp2p, { multiaddr }] = await Promise.all([
      host ??= start(key),
      import("@multiformats/multiaddr"),
    ]);
    try {
      const options = { signal: AbortSignal.timeout(DIAL_MS), force: true };
      const connection = await libp2p.dial(multiaddr(address), options);
      connection.abort(new Error("that was all"));
      return true;
    } catch {
      return false; // Whatever the reason, it is not there for us.
    }
  };
  return Object.assign(dial, {
    [Symbol.asyncDispose]: async () => await (await host)?.stop(),
  });
}

async function start(privateKey: PrivateKey): Promise<Libp2p> {
  const [{ createLibp2p }, { noise }, { yamux }, { tcp }, { webSockets }] = await Promise.all([
    import("libp2p"),
    import("@libp2p/noise"),
    import("@libp2p/yamux"),
    import("@libp2p/tcp"),
    import("@libp2p/websockets"),
  ]);
  return await createLibp2p({
    privateKey,
    addresses: { listen: [] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { reconnectRetries: 0 },
  });
}
