/** What goes to the socket: as few pieces as can be, and nothing later than it has to. */
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import type { ConnectionEncrypter, MessageStream } from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import * as assert from "uvu/assert";
import { packed } from "../../src/swarm/packets.ts";
import { suite } from "../helpers/suite.ts";

const HEADER = Uint8Array.of(0xee);

suite("packets", (test) => {
  test("what is sent in one turn is encrypted at once, and is one piece on the line", async () => {
    const { connection, pieces } = await connect();
    connection.send(Uint8Array.of(1));
    connection.send(new Uint8ArrayList(Uint8Array.of(2), Uint8Array.of(3)));
    assert.equal(pieces, []);
    await turn();
    connection.send(Uint8Array.of(4));
    await turn();
    assert.equal(pieces, [Uint8Array.of(0xee, 1, 2, 3), Uint8Array.of(0xee, 4)]);
  });

  test("a packet's worth does not wait, and tells when the line is full", async () => {
    const { connection, pieces, line } = await connect();
    connection.send(Uint8Array.of(1));
    assert.ok(connection.send(new Uint8Array(20_000)));
    assert.equal(pieces.map(({ length }) => length), [20_002]);
    line.writableNeedsDrain = true;
    assert.not(connection.send(Uint8Array.of(2)));
  });

  test("a little room waits for company, and not for long", async () => {
    const { connection, pieces } = await connect();
    connection.send(room(60));
    await pause(20);
    assert.equal(pieces, []);
    connection.send(Uint8Array.of(1));
    await turn();
    assert.equal(pieces, [Uint8Array.of(0xee, ...room(60), 1)]);
    connection.send(room(61));
    await pause(150);
    assert.equal(pieces[1], Uint8Array.of(0xee, ...room(61)));
  });

  test("much room, a ping, a goodbye, and the beginning of a stream go with their turn", async () => {
    const { connection, pieces } = await connect();
    const ping = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9);
    const goodbye = Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    const beginning = Uint8Array.of(0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 60);
    for (const header of [room(65_000), ping, goodbye, beginning]) {
      connection.send(header);
      await turn();
      assert.equal(pieces.pop(), Uint8Array.of(0xee, ...header));
    }
    // Little by little it is much.
    for (let i = 0; i < 5; i++) connection.send(room(4_000));
    await turn();
    assert.is(pieces.length, 1);
  });

  test("what was sent before the end arrives before it, and after it nothing is", async () => {
    const { connection, pieces, line } = await connect();
    connection.send(Uint8Array.of(1));
    await connection.close();
    assert.equal(pieces, [Uint8Array.of(0xee, 1), "closed"]);
    connection.send(Uint8Array.of(2));
    await turn();
    assert.is(pieces.length, 2);
    assert.is(line.aborted, undefined);
  });

  test("where the line fails later, the connection ends, and not the program", async () => {
    const { connection, line } = await connect();
    connection.send(Uint8Array.of(1));
    line.broken = new Error("the cable is gone");
    await turn();
    assert.is(line.aborted, line.broken);
  });
});

/** A header of yamux that gives room in stream 1. */
function room(bytes: number): Uint8Array {
  const header = Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0);
  new DataView(header.buffer).setUint32(8, bytes);
  return header;
}

/** A line that keeps what it is given, and an encryption that puts a header before it, in an array of its own as noise does. */
async function connect() {
  const pieces: (Uint8Array | "closed")[] & { pop(): Uint8Array } = [] as never;
  const line = {
    status: "open",
    writableNeedsDrain: false,
    broken: undefined as Error | undefined,
    aborted: undefined as Error | undefined,
    send(data: Uint8Array | Uint8ArrayList): boolean {
      if (line.broken !== undefined) throw line.broken;
      pieces.push(...data instanceof Uint8Array ? [data] : data);
      return true;
    },
    abort: (error: Error) => void (line.aborted = error),
    close: () => {
      line.status = "closed";
      pieces.push("closed");
      return Promise.resolve();
    },
  };
  const secure: ConnectionEncrypter["secureOutbound"] = (under) => {
    const send = (data: Uint8Array | Uint8ArrayList) =>
      (under as MessageStream).send(new Uint8ArrayList(HEADER, data));
    const connection = new Proxy(line, {
      get: (target, name) => name === "send" ? send : Reflect.get(target, name),
    });
    return Promise.resolve({ connection } as never);
  };
  const encrypter = { protocol: "/headers", secureOutbound: secure, secureInbound: secure };
  const { connection } = await packed(() => encrypter)({}).secureOutbound(line as never, {});
  return { connection, pieces: pieces as Uint8Array[], line };
}
