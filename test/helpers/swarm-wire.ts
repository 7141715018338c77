/** A peer that speaks the swarm protocol by hand: it says whatever it is told to, in frames or in bytes, and keeps what it hears. */
import type { Connection, Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import type { Uint8ArrayList } from "uint8arraylist";
import { FrameDecoder } from "../../src/swarm/decoder.ts";
import { encodeFrame, type Frame, MAX_PART, PROTOCOL } from "../../src/swarm/frame.ts";
import { type Chosen, createBareHost } from "./bare-host.ts";
import { until } from "./until.ts";

type FrameOf<T extends Frame["type"]> = Frame & { type: T };

/** One stream with one peer. */
export interface Wire {
  readonly stream: Stream;
  /** The peer at the other end. */
  readonly peer: string;
  /** Everything that the peer said so far. */
  readonly heard: Frame[];
  /** What was said in frames. */
  readonly said: Frame[];
  /** Whether the stream has ended. */
  readonly over: boolean;
  /** Says something; bytes are sent as they are. Nothing is said to who hung up. */
  say(...what: (Frame | Uint8Array)[]): void;
  /** The first frame of that type that fits, from the n-th on that was heard; waits for it. */
  hear<T extends Frame["type"]>(
    type: T,
    fits?: (frame: FrameOf<T>) => boolean,
    from?: number,
  ): Promise<FrameOf<T>>;
  /** The peer's OPEN for a block's group; waits for it. */
  hearOpen(cid: CID): Promise<FrameOf<"open">>;
  /** Waits until the stream has ended. */
  end(): Promise<void>;
}

/** Whom a peer can meet; who can be made to dial itself does. */
interface Other {
  readonly id: string;
  readonly addresses: string[];
  meet?(other: { readonly addresses: string[] }): Promise<void>;
}

export interface WirePeer extends AsyncDisposable {
  readonly id: string;
  readonly libp2p: Libp2p;
  readonly addresses: string[];
  /** Streams with those who are or were connected. */
  readonly wires: readonly Wire[];
  /** Connects, and begins to speak: it opens the stream if it is its turn, and says HELLO unless told not to. */
  meet(other: Other, silent?: boolean): Promise<Wire>;
  /** Opens one more stream, whosever turn it is. */
  openStream(other: { readonly addresses: string[] }): Promise<Wire>;
}

export interface WireSettings {
  /** Multiaddr to listen on. */
  listen?: string;
  /** Of two peers the one with the smaller ID opens the stream. */
  id?: Chosen;
  /** Told of every frame as soon as it is heard. */
  onFrame?(wire: Wire, frame: Frame): void;
  onStream?(wire: Wire): void;
}

export async function createWirePeer(
  { listen, id, onFrame, onStream }: WireSettings = {},
): Promise<WirePeer> {
  const wires: Wire[] = [];
  const libp2p = await createBareHost({ listen, id });
  const self = libp2p.peerId.toString();
  let silent = false;
  const begin = (stream: Stream, connection: Connection) => {
    const wire = createWire(stream, connection.remotePeer.toString(), onFrame);
    wires.push(wire);
    if (!silent) wire.say({ type: "hello", flags: 0 });
    onStream?.(wire);
    return wire;
  };
  await libp2p.handle(PROTOCOL, (stream, connection) => void begin(stream, connection), {
    maxInboundStreams: 64,
    maxOutboundStreams: 2_000,
  });
  const peer: WirePeer = {
    id: self,
    libp2p,
    get addresses() {
      return libp2p.getMultiaddrs().map(String);
    },
    wires,
    async meet(other, saysNothing = false) {
      silent = saysNothing;
      const { id } = other;
      if (other.meet === undefined) await libp2p.dial(multiaddr(other.addresses[0]!));
      else {
        // libp2p takes but five connections a second from one address, unless it makes them itself.
        await other.meet(peer);
        const isOther = ({ remotePeer }: Connection) => remotePeer.toString() === id;
        await until("they are connected", () => libp2p.getConnections().some(isOther));
      }
      const begun = () => wires.find((wire) => wire.peer === id && !wire.over);
      if (self < id) return await peer.openStream(other);
      await until("the other side opens the stream", () => begun() !== undefined);
      return begun()!;
    },
    async openStream({ addresses: [address] }) {
      const connection = await libp2p.dial(multiaddr(address!));
      const stream = await connection.newStream(PROTOCOL, { maxOutboundStreams: 2_000 });
      return begin(stream, connection);
    },
    [Symbol.asyncDispose]: async () => void await libp2p.stop(),
  };
  return peer;
}

function createWire(stream: Stream, peer: string, onFrame?: WireSettings["onFrame"]): Wire {
  const decoder = new FrameDecoder();
  const heard: Frame[] = [];
  const said: Frame[] = [];
  /** What went wrong on this side: a listener that throws would end the process. */
  let failed: Error | undefined;
  let over = false;
  const wire: Wire = {
    stream,
    peer,
    heard,
    said,
    get over() {
      return over || stream.status !== "open";
    },
    say(...what) {
      for (const part of what) {
        if (wire.over || stream.writeStatus !== "writable") return;
        if (!(part instanceof Uint8Array)) said.push(part);
        stream.send(part instanceof Uint8Array ? part : encodeFrame(part));
      }
    },
    async hear(type, fits = () => true, from = 0) {
      type Heard = FrameOf<typeof type>;
      const find = () =>
        heard.slice(from).find((frame): frame is Heard =>
          frame.type === type && fits(frame as Heard)
        );
      const begun = Date.now();
      while (find() === undefined) {
        if (wire.over) throw failed ?? new Error(`the stream ended before ${type} was heard`);
        if (Date.now() - begun > 20_000) {
          throw new Error(`${type} was not heard, but ${JSON.stringify(heard.map(inShort))}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return find()!;
    },
    hearOpen(cid) {
      return this.hear("open", (open) => open.cid.equals(cid));
    },
    async end() {
      await until("the stream ends", () => wire.over);
      if (failed !== undefined) throw failed;
    },
  };
  stream.inactivityTimeout = Infinity;
  stream.addEventListener("close", () => over = true);
  stream.addEventListener("remoteCloseWrite", () => over = true);
  const read = (data: Uint8Array | Uint8ArrayList) => {
    for (const chunk of data instanceof Uint8Array ? [data] : data) {
      for (const frame of decoder.push(chunk)) {
        heard.push(frame.type === "block" ? { ...frame, data: frame.data.slice() } : frame);
        onFrame?.(wire, frame);
      }
    }
  };
  stream.addEventListener("message", ({ data }) => {
    try {
      read(data);
    } catch (error) {
      failed = error as Error;
      stream.abort(failed);
    }
  });
  return wire;
}

/** OPEN: by default of a group whose block one does not have. */
export function open(
  cid: CID,
  count = 0,
  bits: Uint8Array = bitsOf(count),
  group = 0,
  flags = 0,
): Frame {
  return { type: "open", group, cid, flags, count, bits };
}

export function request(group: number, ...indices: number[]): Frame {
  return { type: "request", group, level: 0, indices };
}

export function list(
  type: "have" | "lost" | "cancel",
  group: number,
  ...indices: number[]
): Frame {
  return { type, group, indices };
}

/** A block as it is sent, in parts. */
export function partsOf(
  group: number,
  index: number,
  bytes: Uint8Array,
  part: number = MAX_PART,
): Frame[] {
  const parts: Frame[] = [];
  for (let offset = 0; offset === 0 || offset < bytes.length; offset += part) {
    const data = bytes.subarray(offset, offset + part);
    parts.push({ type: "block", group, index, offset, size: bytes.length, data });
  }
  return parts;
}

/** Every index that a peer was asked for, in order. */
export function asked({ heard }: Wire): number[] {
  const indices = heard.flatMap((frame) => frame.type === "request" ? frame.indices : []);
  return [...new Set(indices)].sort((a, b) => a - b);
}

/** The bits of a group of so many members, of which some are there; all of them by default. */
export function bitsOf(count: number, there: (index: number) => boolean = () => true): Uint8Array {
  const bits = new Uint8Array(Math.ceil(count / 8));
  for (let i = 0; i < count; i++) if (there(i)) bits[i >> 3]! |= 1 << (i & 7);
  return bits;
}

function inShort(frame: Frame): object {
  return frame.type === "block" ? { ...frame, data: frame.data.length } : frame;
}
