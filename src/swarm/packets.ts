/**
 * Many small writes, few packets. What is sent on a connection within one turn of the event loop is encrypted together, and goes
 * to the socket in one piece: yamux and noise write each header by itself, and a packet costs more than most of what is in it.
 * What is read is decrypted a whole message at a time.
 */
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import { Assembly } from "./assembly.ts";

/** So much is not kept for more, in bytes: it is a packet worth its cost, and whoever sends has to hear when the line is full. */
const PLENTY = 16 * 1024;

/**
 * The same after what is as much by itself: the line is fast then. An encrypted message holds a little less than 64 KiB, and the rest
 * of a larger piece would be one of its own. Not more: a WebSocket makes one message of it, and a cap of the other side is held by
 * whole messages.
 */
const FAST_PLENTY = 128 * 1024;

/** A piece that only a fast line is given, in bytes. */
const FAST_PIECE = 64 * 1024;

/**
 * yamux gives the other side room for whatever was read, with a packet for each frame. That may wait for something else to be
 * sent as long as it is so little, in bytes: the least window is 256 KiB.
 */
const LITTLE_ROOM = 96 * 1024;

/** How long it may, in milliseconds. */
const ROOM_MS = 100;

/** A header of yamux, and what it says in its second byte where it gives room. */
const HEADER_BYTES = 12, WINDOW_UPDATE = 1;

/** The same encryption (noise, whose messages are known here), for connections that send but once in a turn what fits into a packet. */
export function packed<T>(
  make: (components: T) => ConnectionEncrypter,
): (components: T) => ConnectionEncrypter {
  return (components) => {
    const encrypter = make(components);
    const { protocol } = encrypter;
    return {
      protocol,
      secureOutbound: async (line, options) =>
        gathering(await encrypter.secureOutbound(inWhole(line), options)),
      secureInbound: async (line, options) =>
        gathering(await encrypter.secureInbound(inWhole(line), options)),
    };
  };
}

/** A socket makes a packet of each array that it is given. */
function inWhole(line: MessageStream): MessageStream {
  const send = line.send.bind(line);
  line.send = (data) => send(data.subarray());
  return line;
}

/** What noise keeps to itself: it puts together what is read, and has it decrypted. */
interface NoiseStream {
  decoder?: { decode(data: Uint8Array | Uint8ArrayList): Generator<Uint8Array | Uint8ArrayList> };
}

/** Has whole messages decrypted from now on. What came of one before is not lost. */
function wholeMessages(connection: MessageStream & NoiseStream): void {
  const { decoder } = connection;
  const begun = (decoder as { buffer?: Uint8ArrayList } | undefined)?.buffer;
  if (begun === undefined) return; // not noise as it is known here, and as good as it is
  const assembly = new Assembly();
  // Nothing is whole in it; this only takes it over.
  for (const _ of assembly.decode(begun));
  connection.decoder = assembly;
}

function gathering(secured: SecuredConnection): SecuredConnection {
  const { connection } = secured;
  const send = connection.send.bind(connection);
  wholeMessages(connection);
  const waiting = new Uint8ArrayList();
  let room = 0;
  let turn: ReturnType<typeof setImmediate> | undefined;
  let later: ReturnType<typeof setTimeout> | undefined;

  connection.send = (data) => {
    waiting.append(data);
    const isHeader = data.byteLength === HEADER_BYTES;
    const given = isHeader ? roomIn(data) : 0;
    room += given;
    // What yamux says of itself may be its last word: the line is closed right after a goodbye.
    const plenty = data.byteLength < FAST_PIECE ? PLENTY : FAST_PLENTY;
    if (waiting.byteLength >= plenty || (isHeader && given === 0)) flush();
    else if (isHeader && room <= LITTLE_ROOM) later ??= setTimeout(flush, ROOM_MS);
    else turn ??= setImmediate(flush);
    return !connection.writableNeedsDrain;
  };

  return secured;

  function flush(): void {
    clearImmediate(turn);
    clearTimeout(later);
    turn = later = undefined;
    room = 0;
    const all = waiting.sublist();
    waiting.consume(all.byteLength);
    if (all.byteLength === 0 || connection.status !== "open") return;
    try {
      send(all);
    } catch (error) {
      connection.abort(error as Error); // nobody is here to be told
    }
  }
}

/** How much room a header gives, in bytes; 0 for one that says something else. */
function roomIn(data: Uint8Array | Uint8ArrayList): number {
  const { buffer, byteOffset } = data.subarray();
  const header = new DataView(buffer, byteOffset, HEADER_BYTES);
  const isRoom = header.getUint8(1) === WINDOW_UPDATE && header.getUint16(2) === 0; // no flags
  return isRoom ? header.getUint32(8) : 0;
}
