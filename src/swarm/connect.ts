/** Keeps one stream to every connected peer that speaks the swarm protocol: opens it, or takes the one that the peer opens. */
import type { Connection, PeerId, Stream } from "@libp2p/interface";
import { Bucket } from "./bucket.ts";
import { Correspondence } from "./correspondence.ts";
import { PROTOCOL } from "./frame.ts";
import type { Host } from "./host.ts";
import { Session } from "./session.ts";
import { Swarm, type SwarmSettings } from "./swarm.ts";

/** How long a peer may take to say whether it speaks the protocol, in milliseconds. */
const OPEN_MS = 10_000;

/** Streams of the protocol that a peer may have on one connection: one, and the next while the last is being taken down. */
const MAX_STREAMS = 2;

export interface ConnectSettings extends Omit<SwarmSettings, "up"> {
  /** Most bytes a second that are sent. Default: no cap. */
  up?: number | undefined;
  /** Most bytes a second that are taken in. Default: no cap. */
  down?: number | undefined;
  /** Told of a peer that speaks the protocol: nothing has to be asked of it in other ways. */
  met(peer: PeerId): void;
}

export interface ConnectedSwarm {
  readonly swarm: Swarm;
  /** IDs of the peers that the protocol is spoken with. */
  readonly peers: ReadonlyMap<string, unknown>;
  /** The protocol stays with libp2p, which is to be stopped next: to take it away would be written to a disk that may be full. */
  stop(): void;
}

export async function connectSwarm(
  libp2p: Host,
  { up = Infinity, down = Infinity, met, ...settings }: ConnectSettings,
): Promise<ConnectedSwarm> {
  const now = performance.now();
  const swarm = new Swarm({ ...settings, up: new Bucket(up, now) });
  const intake = new Bucket(down, now);
  const sessions = new Map<string, Session>();
  const listener = new Correspondence(swarm, (session) => {
    if (sessions.get(session.peer) === session) sessions.delete(session.peer);
  });
  const over = new AbortController();
  const self = libp2p.peerId.toString();
  let count = 0;

  await libp2p.handle(PROTOCOL, begin, {
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
  });
  const onOpen = ({ detail }: CustomEvent<Connection>) => void dial(detail);
  libp2p.addEventListener("connection:open", onOpen);
  libp2p.getConnections().forEach((connection) => void dial(connection));

  return {
    swarm,
    peers: sessions,
    stop() {
      over.abort(new Error("the node stops"));
      libp2p.removeEventListener("connection:open", onOpen);
      swarm.stop();
    },
  };

  /** Of two peers the one with the smaller ID opens the stream, so that there is one. */
  async function dial(connection: Connection): Promise<void> {
    const peer = connection.remotePeer.toString();
    if (self > peer || sessions.has(peer)) return;
    try {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(OPEN_MS)]);
      begin(await connection.newStream(PROTOCOL, { signal }), connection);
    } catch {
      // It does not speak the protocol, or is gone: bitswap is left.
    }
  }

  function begin(stream: Stream, { remotePeer }: Connection): void {
    if (over.signal.aborted) return stream.abort(over.signal.reason);
    const peer = remotePeer.toString();
    // The newer one is the one that works: a line may have been cut without a word.
    sessions.get(peer)?.drop(new Error("the peer began anew"));
    const session = new Session(count++, peer, stream, { listener, down: intake, flags: 0 });
    sessions.set(peer, session);
    listener.began(session);
    met(remotePeer);
  }
}
