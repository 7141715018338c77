/** A way to a node that counts what passes: a TCP port of this machine that leads to the node's own. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

export interface CountedLine extends AsyncDisposable {
  /** The multiaddr to dial instead of the node's. */
  address: string;
  /** Bytes that came from the node so far. */
  readonly received: number;
}

/**
 * @param address `/ip4/127.0.0.1/tcp/…/p2p/…`
 * @param options.delay how long the way is to who comes, in milliseconds. Default: 0
 */
export async function createCountedLine(
  address: string,
  { delay = 0 }: { delay?: number } = {},
): Promise<CountedLine> {
  const port = Number(address.split("/")[4]);
  const sockets = new Set<Socket>();
  let received = 0;
  const server = createServer(async (near) => {
    if (delay > 0) await pause(delay);
    const far = connect(port, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
    far.on("data", (bytes) => received += bytes.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: address.replace(`/tcp/${port}/`, `/tcp/${(server.address() as AddressInfo).port}/`),
    get received() {
      return received;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
