/**
 * Caps on what goes over the connections of a host, whatever is spoken on them. They are held where streams are one already:
 * bytes of a stream would have to be held back in each, and a muxer sends on with every window that the other side opens.
 */
import type {
  ConnectionEncrypter,
  MessageStream,
  SecuredConnection,
  StreamMessageEvent,
} from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import { NethoodError } from "../errors.ts";
import { Bucket } from "./bucket.ts";

/** What is sent at once, in bytes: little, so that the connections of a host take turns. */
const PIECE = 16 * 1024;

/** The least that yamux lets be on its way in a stream, in bytes, and the most that it would. */
const MIN_WINDOW = 256 * 1024, MAX_WINDOW = 16 * 1024 * 1024;

/** How much of what a cap lets through may be on its way in a stream, in milliseconds: more only fills the socket. */
const WINDOW_MS = 400;

/**
 * What may wait to be read of one connection, in bytes. A WebSocket cannot be told to wait: the peer stops when the windows of
 * its streams are used up, and one that does not is hung up on.
 */
const MAX_UNREAD = 32 * 1024 * 1024;

/** Bytes a second; undefined for no cap. */
export interface Caps {
  upload?: number | undefined;
  download?: number | undefined;
}

/** @throws {NethoodError} BAD_OPTION for what is no rate */
export function checkCaps({ upload = Infinity, download = Infinity }: Caps): void {
  for (const [name, rate] of Object.entries({ upload, download })) {
    if (rate > 0) continue;
    throw new NethoodError("BAD_OPTION", `"${name}" cannot be ${rate} bytes a second.`, {
      hint: "Give bytes a second, more than 0, or leave it out for no cap.",
    });
  }
}

/** The same encryption, for connections that share what the caps let through. */
export function throttled<T>(
  make: (components: T) => ConnectionEncrypter,
  { upload, download }: Caps,
): (components: T) => ConnectionEncrypter {
  if (upload === undefined && download === undefined) return make;
  const up = new Bucket(upload ?? Infinity, performance.now());
  const down = new Bucket(download ?? Infinity, performance.now());
  const throttle = (line: MessageStream, secured: SecuredConnection): SecuredConnection => {
    slow(line, down);
    pace(secured.connection, up);
    return secured;
  };
  return (components) => {
    const encrypter = make(components);
    const { protocol } = encrypter;
    return {
      protocol,
      secureOutbound: async (line, options) =>
        throttle(line, await encrypter.secureOutbound(line, options)),
      secureInbound: async (line, options) =>
        throttle(line, await encrypter.secureInbound(line, options)),
    };
  };
}

/** How far a stream's window may grow, in bytes. yamux takes the delay that a cap makes for that of a long line. */
export function windowFor({ download = Infinity }: Caps): number {
  return Math.floor(Math.min(MAX_WINDOW, Math.max(MIN_WINDOW, download * WINDOW_MS / 1000)));
}

/**
 * Reads no more until the cap allows it: the socket is left full, and TCP tells the other side, or the windows of the streams
 * do. Of the line and not of what was
 * decrypted, which nobody listens to yet: the first listener gets all that waited.
 */
function slow(connection: MessageStream, down: Bucket): void {
  let paused = false;
  connection.maxReadBufferLength = MAX_UNREAD;
  connection.addEventListener("message", ({ data }: StreamMessageEvent) => {
    const now = performance.now();
    down.take(data.byteLength, now);
    if (down.wait(now) === 0) return;
    // Not at once: `resume` hands over what waits, and opens the way for more only after that.
    queueMicrotask(wait);
  });

  function wait(): void {
    if (paused || connection.status !== "open") return;
    paused = true;
    connection.pause();
    setTimeout(goOn, down.wait(performance.now()));
  }

  function goOn(): void {
    if (connection.status !== "open") return;
    const more = down.wait(performance.now()); // others have read meanwhile
    if (more > 0) return void setTimeout(goOn, more);
    paused = false;
    connection.resume();
  }
}

/** Sends no faster from now on than the cap allows. What waits is bounded by the windows of its streams. */
function pace(connection: MessageStream, up: Bucket): void {
  const send = connection.send.bind(connection), close = connection.close.bind(connection);
  const waiting = new Uint8ArrayList();
  let timer: ReturnType<typeof setTimeout> | undefined;

  connection.send = (data) => {
    waiting.append(data);
    if (timer === undefined) drain();
    return waiting.byteLength === 0 && !connection.writableNeedsDrain;
  };

  connection.close = async (options) => {
    clearTimeout(timer);
    // What was promised before the end; the cap is not worth waiting for it.
    if (waiting.byteLength > 0 && connection.status === "open") {
      send(waiting.sublist());
    }
    forget();
    await close(options);
  };

  // Registered before the muxer's own: it is not told to go on as long as something waits.
  connection.addEventListener("drain", (event) => {
    if (waiting.byteLength === 0) return;
    event.stopImmediatePropagation();
    if (timer === undefined) drain();
  });
  connection.addEventListener("close", forget);

  function drain(): void {
    timer = undefined;
    while (waiting.byteLength > 0) {
      if (connection.status !== "open") return forget();
      if (connection.writableNeedsDrain) return;
      const ms = up.wait(performance.now());
      if (ms > 0) {
        timer = setTimeout(goOn, ms);
        return;
      }
      const piece = waiting.sublist(0, Math.min(PIECE, waiting.byteLength));
      waiting.consume(piece.byteLength);
      up.take(piece.byteLength, performance.now());
      send(piece);
    }
  }

  function goOn(): void {
    drain();
    if (waiting.byteLength > 0 || connection.writableNeedsDrain) return;
    connection.dispatchEvent(new Event("drain"));
  }

  function forget(): void {
    clearTimeout(timer);
    waiting.consume(waiting.byteLength);
  }
}
