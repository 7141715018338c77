/** Caps on what goes out and what comes in, measured on the wire at the receiver's side. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { multiaddr } from "@multiformats/multiaddr";
import * as assert from "uvu/assert";
import { addBytes } from "../../src/content/write.ts";
import type { NodeOptions } from "../../src/node.ts";
import { refusal } from "../helpers/failure.ts";
import { createLoopbackNode, type LoopbackNode } from "../helpers/loopback-node.ts";
import { createRandom } from "../helpers/random.ts";
import { createStockHelia } from "../helpers/stock-helia.ts";
import { suite } from "../helpers/suite.ts";
import { unixfs } from "@helia/unixfs";

const MIB = 1024 * 1024;
const CAP = MIB;
const FILE = createRandom(7).bytes(20 * MIB);

/** From when on, and for how long, it is measured, in milliseconds: a cap may let a little through at first. */
const AFTER_MS = 500, MEASURED_MS = 10_000;

/** How far from the cap the rate may be. */
const NEAR = 0.05;

/** A machine that stops for longer, in milliseconds, is measured again, so many times at most in all. */
const STOPPED_MS = 250, TRIES = 3;

suite("caps", (test) => {
  test("a rate that is none is told before anything is written", async () => {
    for (const rate of [0, -1, NaN]) {
      await refusal("BAD_OPTION", () => createLoopbackNode({ upload: rate }));
      await refusal("BAD_OPTION", () => createLoopbackNode({ download: rate }));
    }
  });

  test("1 MiB/s up, 1 MiB/s down: within 5 % over ten seconds, by either protocol", async () => {
    // at once: each waits most of the time
    const { result: rates, longest } = await whileMachineRuns(() =>
      Promise.all([
        measure({ upload: CAP }, {}),
        measure({}, { download: CAP }),
        measure({ listen: ["/ip4/127.0.0.1/tcp/0/ws"] }, { download: CAP }),
        measureBitswap({ upload: CAP }),
      ])
    );
    for (const [i, rate] of rates.entries()) {
      const what = ["up", "down", "down by a WebSocket", "up by bitswap"][i];
      const told = `${what}: ${
        (rate / CAP).toFixed(3)
      } of the cap, stops of ${longest.toFixed()} ms`;
      assert.ok(Math.abs(rate / CAP - 1) <= NEAR, told);
    }
  });
});

/** Measures until nothing stopped the machine meanwhile; the last try counts whatever happened. */
async function whileMachineRuns<Result>(work: () => Promise<Result>) {
  for (let tries = 1;; tries++) {
    let longest = 0, last = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }, 10);
    try {
      const result = await work();
      if (longest < STOPPED_MS || tries === TRIES) return { result, longest };
    } finally {
      clearInterval(timer);
    }
  }
}

/** Bytes a second from one of our nodes to another. */
async function measure(sender: NodeOptions, receiver: NodeOptions): Promise<number> {
  await using from = await createLoopbackNode(sender);
  await using to = await createLoopbackNode(receiver);
  const cid = await addBytes(from.helia.blockstore, [FILE]);
  await using relay = await createRelay(from);
  await to.meet(relay.address);
  const gone = new AbortController();
  const { entry } = await to.open(`/ipfs/${cid}`);
  if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
  const reading = drain(entry.bytes(undefined, { signal: gone.signal })).catch(() => undefined);
  const rate = await relay.measure();
  gone.abort();
  await reading;
  return rate;
}

/** The same to a node that speaks bitswap alone. */
async function measureBitswap(sender: NodeOptions): Promise<number> {
  await using from = await createLoopbackNode(sender);
  await using helia = await createStockHelia();
  const cid = await addBytes(from.helia.blockstore, [FILE]);
  await using relay = await createRelay(from);
  await helia.libp2p.dial(multiaddr(relay.address));
  const gone = new AbortController();
  const reading = drain(unixfs(helia).cat(cid, { signal: gone.signal })).catch(() => undefined);
  const rate = await relay.measure();
  gone.abort();
  await reading;
  return rate;
}

async function drain(bytes: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of bytes);
}

/** A port that leads to a node, and counts what comes back from it. */
async function createRelay(node: LoopbackNode) {
  const [, port] = /\/tcp\/(\d+)/.exec(node.address)!;
  let passed = 0;
  const sockets = new Set<Socket>();
  const server = createServer((reader) => {
    const inner = connect(Number(port), "127.0.0.1");
    inner.on("data", (data) => passed += data.byteLength);
    inner.pipe(reader).pipe(inner);
    for (const socket of [inner, reader]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // the other end is told by its own
      socket.on("close", () => (inner.destroy(), reader.destroy()));
    }
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    address: node.address.replace(port!, String((server.address() as AddressInfo).port)),
    /** Bytes a second that come back. */
    async measure(): Promise<number> {
      await pause(AFTER_MS);
      const [before, began] = [passed, performance.now()];
      await pause(MEASURED_MS);
      return (passed - before) / (performance.now() - began) * 1000;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
