/** What comes in on a stream, a frame at a time, and no faster than is good for others. */
import type { Stream } from "@libp2p/interface";
import { Bucket } from "./bucket.ts";
import { type FindRoom, FrameDecoder } from "./decoder.ts";
import type { Frame } from "./frame.ts";

/**
 * What of one peer is heard in a second, in frames: as many as go with a hundred megabytes of blocks. Who says more is heard
 * later, at its own cost. So many indices are another frame, and so is so much data.
 */
const FRAMES_PER_SECOND = 4_000;
const INDICES_PER_FRAME = 16;
const DATA_PER_FRAME = 128 * 1024;

/** The least data that is counted by its amount, in bytes: smaller blocks and parts are frames like others. */
const MUCH_DATA = 4 * 1024;

/** How long it is paused when too much was said, in milliseconds at least. */
const REST_MS = 25;

interface Hearer {
  /** As the decoder asks it; the frame is heard next. May throw, which is a failure. Default: the decoder's own. */
  findRoom?: FindRoom;
  /** May throw, which is a failure. */
  hear(frame: Frame): void;
  /** The peer says no more, and everything was heard. */
  ended(): void;
  /** Nothing more is heard. */
  failed(error: Error): void;
}

export class Intake {
  readonly #stream: Stream;
  readonly #hearer: Hearer;
  readonly #attention = new Bucket(FRAMES_PER_SECOND, performance.now());
  readonly #decoder: FrameDecoder;
  /** What has come and was not heard yet. */
  readonly #chunks: Uint8Array[] = [];
  #unheard: Generator<Frame, undefined> | undefined;
  /** The peer says no more, but what it said may not be heard yet. */
  #ending = false;

  constructor(stream: Stream, hearer: Hearer) {
    this.#stream = stream;
    this.#hearer = hearer;
    this.#decoder = new FrameDecoder(hearer.findRoom);
    stream.addEventListener("message", ({ data }) => {
      if (data instanceof Uint8Array) this.#chunks.push(data);
      else this.#chunks.push(...data);
      this.#digest();
    });
    const end = () => {
      this.#ending = true;
      if (this.#unheard === undefined) this.#digest();
    };
    stream.addEventListener("remoteCloseWrite", end);
    // The peer may have said all before anybody listened.
    if (stream.remoteWriteStatus === "closed") queueMicrotask(end);
  }

  /** Hears what has come, until that is all or was enough for now. */
  #digest(): void {
    try {
      const wait = this.#hear();
      if (this.#stream.status !== "open") return;
      if (wait > 0) this.#rest(wait);
      else if (this.#ending && this.#stream.readBufferLength === 0) {
        this.#decoder.end();
        this.#hearer.ended();
      } else this.#stream.resume();
    } catch (error) {
      this.#hearer.failed(error as Error);
    }
  }

  /** @returns how long to rest, in milliseconds; 0 if all was heard and more may come */
  #hear(): number {
    this.#unheard ??= this.#frames();
    while (this.#stream.status === "open") {
      const { value: frame, done } = this.#unheard.next();
      if (done) {
        this.#unheard = undefined;
        break;
      }
      this.#hearer.hear(frame);
      const now = performance.now();
      this.#attention.take(effortOf(frame), now);
      const wait = this.#attention.wait(now);
      if (wait > 0) return Math.max(REST_MS, wait);
    }
    return 0;
  }

  *#frames(): Generator<Frame, undefined> {
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      yield* this.#decoder.push(chunk);
    }
  }

  #rest(ms: number): void {
    this.#stream.pause();
    setTimeout(() => {
      if (this.#stream.status === "open") this.#digest();
    }, ms);
  }
}

/** What it takes to hear a frame, in frames. */
function effortOf(frame: Frame): number {
  if (frame.type === "block" && frame.data.length >= MUCH_DATA) {
    return frame.data.length / DATA_PER_FRAME;
  }
  const indices = "indices" in frame ? frame.indices.length : "count" in frame ? frame.count : 0;
  return 1 + indices / INDICES_PER_FRAME;
}
