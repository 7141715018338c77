/** What goes to the socket: as few pieces as can be, and nothing later than it has to. */
import { Buffer } from "node:buffer";
import { setImmediate as turn, setTimeout as pause } from "node:timers/promises";
import type { ConnectionEncrypter, MessageStream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import { Uint8ArrayList } from "uint8arraylist";
import * as assert from "uvu/assert";
import { Assembly } from "../../src/swarm/assembly.ts";
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

  test("what is heard of many sizes stays what it was, put together here as it is", async () => {
    const { decode } = Assembly.prototype;
    let reads = 0;
    Assembly.prototype.decode = function (data) {
      reads++;
      return decode.call(this, data);
    };
    using _ = { [Symbol.dispose]: () => void (Assembly.prototype.decode = decode) };
    await using from = await createLoopbackNode();
    await using to = await createLoopbackNode();
    const sizes = [1, 500, 1_300, 20_000, 65_000, 200_000];
    const sent = Array.from({ length: 60 }, (_, i) => new Uint8Array(sizes[i % 6]!).fill(i + 1));
    const heard = Promise.withResolvers<Uint8Array>();
    await to.helia.libp2p.handle("/test/1", (stream) => {
      const all = new Uint8ArrayList(); // views of what was decrypted
      stream.addEventListener("message", ({ data }) => all.append(data));
      stream.addEventListener("remoteCloseWrite", () => {
        heard.resolve(all.subarray());
        void stream.close();
      });
    });
    const connection = await from.helia.libp2p.dial(multiaddr(to.address));
    const stream = await connection.newStream("/test/1");
    for (const data of sent) if (!stream.send(data)) await stream.onDrain();
    await stream.close();
    const whole = new Uint8ArrayList(...sent).subarray();
    assert.is(Buffer.compare(await heard.promise, whole), 0);
    assert.ok(reads > 0, "noise is not what it was");
  });

  test("noise has whole messages decrypted, from the part on that it had begun", async () => {
    const decrypted: number[][] = [];
    const send = () => true;
    const noise = {
      send,
      decoder: {
        buffer: new Uint8ArrayList(Uint8Array.of(0, 2, 7)),
        *decode(): Generator<Uint8Array> {},
      },
    };
    const secure = () => Promise.resolve({ connection: noise } as never);
    const encrypter = { protocol: "/none", secureOutbound: secure, secureInbound: secure };
    await packed(() => encrypter)({}).secureInbound({ send } as never, {});
    const { decoder } = noise as unknown as { decoder: Assembly };
    for (const message of decoder.decode(Uint8Array.of(8, 0, 1, 9))) decrypted.push([...message]);
    assert.equal(decrypted, [[7, 8], [9]]);
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
    const connection = Object.assign(Object.create(line), { send });
    return Promise.resolve({ connection } as never);
  };
  const encrypter = { protocol: "/headers", secureOutbound: secure, secureInbound: secure };
  const { connection } = await packed(() => encrypter)({}).secureOutbound(line as never, {});
  return { connection, pieces, line };
}
