/** Ports of loopback: one that nobody listens on, and one that somebody does. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

export interface TakenPort extends AsyncDisposable {
  readonly port: number;
}

/** A port that a program listens on as long as the test has it. */
export async function takePort(): Promise<TakenPort> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A port that was free a moment ago, for a server that cannot choose one, or for nobody. */
export async function freePort(): Promise<number> {
  await using taken = await takePort();
  return taken.port;
}
