/** What goes to the socket: as few pieces as can be, and nothing later than it has to. */
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import {
  type ConnectionEncrypter,
  type MessageStream,
  StreamMessageEvent,
} from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { Uint8ArrayList } from "uint8arraylist";
import * as assert from "uvu/assert";
import { packed } from "../../src/swarm/packets.ts";
import { createLoopbackNode } from "../helpers/loopback-node.ts";
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

  test("pieces of a fast line go together in one turn, and not more than a few", async () => {
    const { connection, pieces } = await connect();
    for (let i = 0; i < 3; i++) connection.send(new Uint8Array(65_536));
    assert.equal(pieces.map(({ length }) => length), [2 * 65_536 + 1]);
    await turn();
    assert.equal(pieces.map(({ length }) => length), [2 * 65_536 + 1, 65_537]);
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

  test("much room goes with its turn, be it little by little", async () => {
    const { connection, pieces } = await connect();
    connection.send(room(100_000));
    await turn();
    assert.is(pieces.length, 1);
    for (let i = 0; i < 5; i++) connection.send(room(20_000));
    await turn();
    assert.is(pieces.length, 2);
  });

  test("what may be the last word goes at once, with what waits", async () => {
    const { connection, pieces, line } = await connect();
    const ping = Uint8Array.of(0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9);
    const goodbye = Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
    const end = Uint8Array.of(0, 1, 0, 4, 0, 0, 0, 1, 0, 0, 0, 60);
    for (const header of [ping, end, goodbye]) {
      connection.send(Uint8Array.of(1));
      connection.send(header);
      assert.equal(pieces.pop(), Uint8Array.of(0xee, 1, ...header));
    }
    connection.send(Uint8Array.of(2));
    line.status = "closed";
    await turn();
    assert.equal(pieces, []);
    assert.is(line.aborted, undefined);
  });

  test("messages are heard whole, and the part that came behind what is given back is not lost", async () => {
    let given = new Uint8Array();
    const unshift = (data: Uint8ArrayList) => given = data.slice();
    const line = Object.assign(new EventTarget(), { unshift });
    const secure = (line: MessageStream) => Promise.resolve({ connection: line } as never);
    const encrypter = { protocol: "/none", secureOutbound: secure, secureInbound: secure };
    const { secureInbound } = packed(() => encrypter as ConnectionEncrypter)({});
    const { connection } = await secureInbound(line as never, {});
    const read = (...bytes: number[]) =>
      line.dispatchEvent(new StreamMessageEvent(Uint8Array.from(bytes)));
    const heard: number[][] = [];
    const hear = ({ data }: StreamMessageEvent) => void heard.push([...data.slice()]);

    connection.addEventListener("message", hear);
    read(0, 1, 7, 0, 2, 8);
    assert.equal(heard, [[0, 1, 7]]);
    connection.removeEventListener("message", hear);
    connection.unshift(new Uint8ArrayList(Uint8Array.of(0, 1, 7)));
    assert.equal([...given], [0, 1, 7, 0, 2, 8]);
    read(0, 1, 1);
    assert.is(heard.length, 1);
    connection.addEventListener("message", hear);
    read(...given);
    read(9);
    assert.equal(heard.slice(1), [[0, 1, 7], [0, 2, 8, 9]]);
  });

  test("who hangs up in good order is heard to the last word", async () => {
    await using from = await createLoopbackNode();
    await using to = await createLoopbackNode();
    const heard = Promise.withResolvers<number>();
    await to.helia.libp2p.handle("/test/1", (stream) => {
      let bytes = 0;
      stream.addEventListener("message", ({ data }) => bytes += data.byteLength);
      stream.addEventListener(
        "close",
        ({ error }) => error === undefined ? heard.resolve(bytes) : heard.reject(error),
      );
      stream.addEventListener("remoteCloseWrite", () => void stream.close());
    });
    const connection = await from.helia.libp2p.dial(multiaddr(to.address));
    const stream = await connection.newStream("/test/1");
    stream.send(new Uint8Array(3_000));
    await connection.close();
    assert.is(await heard.promise, 3_000);
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
  const pieces: Uint8Array[] = [];
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
  return { connection, pieces, line };
}
