/**
 * Keeps one stream to every connected peer that speaks the swarm protocol: opens it, or takes the one that the peer opens, and
 * opens it anew when it breaks.
 */
import type { Connection, PeerId, Stream } from "@libp2p/interface";
import { setTimeout as pause } from "node:timers/promises";
import { Bucket } from "./bucket.ts";
import { Correspondence } from "./correspondence.ts";
import { PROTOCOL, WireError } from "./frame.ts";
import type { Host } from "./host.ts";
import { Session } from "./session.ts";
import { Swarm, type SwarmSettings } from "./swarm.ts";

/** How long a peer may take to say whether it speaks the protocol, in milliseconds. */
const OPEN_MS = 10_000;

/** Streams of the protocol that a peer may have on one connection: one, and the next while the last is being taken down. */
const MAX_STREAMS = 2;

/** How soon a broken stream is opened again, in milliseconds: twice as late each time, up to a limit. */
const REOPEN_MS = 1_000;
const MAX_REOPEN_MS = 60_000;

/** A peer that does not know the protocol is asked so often: it may not have got as far when it starts. */
const TRIES = 3;

export interface ConnectSettings extends Omit<SwarmSettings, "up"> {
  /** Most bytes a second that are sent. Default: no cap. */
  up?: number | undefined;
  /** Told of a peer that speaks the protocol: nothing has to be asked of it in other ways. */
  met(peer: PeerId): void;
}

export interface ConnectedSwarm {
  readonly swarm: Swarm;
  /** IDs of the peers that the protocol is spoken with. */
  readonly peers: ReadonlyMap<string, { readonly number: number }>;
  /** The protocol stays with libp2p, which is to be stopped next: to take it away would be written to a disk that may be full. */
  stop(): void;
}

export async function connectSwarm(
  libp2p: Host,
  { up = Infinity, met, ...settings }: ConnectSettings,
): Promise<ConnectedSwarm> {
  const swarm = new Swarm({ ...settings, up: new Bucket(up, performance.now()) });
  const { standings } = swarm;
  const sessions = new Map<string, Session>();
  const ends = new Map<Session, () => void>();
  /** Peers to whom this side keeps a stream, and what makes it look again at once. */
  const kept = new Map<string, () => void>();
  const over = new AbortController();
  const self = libp2p.peerId.toString();
  let count = 0;
  const listener = new Correspondence(swarm, (session) => {
    if (sessions.get(session.peer) === session) sessions.delete(session.peer);
    ends.get(session)?.();
    ends.delete(session);
  });

  await libp2p.handle(PROTOCOL, accept, {
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS,
  });
  const onOpen = ({ detail }: CustomEvent<Connection>) => meet(detail.remotePeer);
  libp2p.addEventListener("connection:open", onOpen);
  for (const { remotePeer } of libp2p.getConnections()) meet(remotePeer);

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
  function meet(remotePeer: PeerId): void {
    const peer = remotePeer.toString();
    if (self > peer) return;
    const again = kept.get(peer);
    if (again !== undefined) again();
    else void keep(remotePeer).finally(() => kept.delete(peer));
  }

  /** Opens the stream, again and again, for as long as there is a connection to a peer that speaks the protocol. */
  async function keep(remotePeer: PeerId): Promise<void> {
    const peer = remotePeer.toString();
    let wait = REOPEN_MS;
    for (let refusals = 0; refusals < TRIES && !over.signal.aborted;) {
      const awake = new AbortController();
      kept.set(peer, () => awake.abort());
      const connection = libp2p.getConnections(remotePeer).find(({ status }) => status === "open");
      if (connection === undefined) return;
      const began = performance.now();
      if (standings.barredFor(peer, began) === 0) {
        refusals = await dial(connection) ? 0 : refusals + 1;
      }
      const now = performance.now();
      if (now - began > MAX_REOPEN_MS) wait = REOPEN_MS;
      await sleep(Math.max(wait, standings.barredFor(peer, now)), awake.signal);
      wait = Math.min(MAX_REOPEN_MS, wait * 2);
    }
  }

  async function sleep(ms: number, awake: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([over.signal, awake]);
    await pause(ms, undefined, { signal, ref: false }).catch(() => {}); // awake, or over: looked at next
  }

  /** Speaks with a peer until the stream ends. @returns whether it knows the protocol */
  async function dial(connection: Connection): Promise<boolean> {
    try {
      const signal = AbortSignal.any([over.signal, AbortSignal.timeout(OPEN_MS)]);
      const stream = await connection.newStream(PROTOCOL, { signal });
      await new Promise<void>((end) => begin(stream, connection, end));
      return true;
    } catch (error) {
      // Where it does not know it bitswap is left; what else went wrong may go better next time.
      return (error as Error).name !== "UnsupportedProtocolError";
    }
  }

  function accept(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString();
    if (standings.barredFor(peer, performance.now()) > 0) {
      return stream.abort(new Error("it is not spoken to"));
    }
    if (self < peer) return refuse(stream, peer, "it opened a stream that was not its to open");
    if (sessions.has(peer)) {
      const reason = standings.note(peer, "restart", performance.now());
      if (reason !== undefined) return refuse(stream, peer, reason);
    }
    begin(stream, connection);
  }

  function refuse(stream: Stream, peer: string, reason: string): void {
    const error = new WireError(reason);
    stream.abort(error);
    const session = sessions.get(peer);
    if (session !== undefined) return session.drop(error);
    settings.log(`${peer} is not spoken to any more: ${reason}`);
    standings.bar(peer, performance.now());
  }

  function begin(stream: Stream, { remotePeer }: Connection, onEnd?: () => void): void {
    const peer = remotePeer.toString();
    // The newer one is the one that works: a line may have been cut without a word.
    sessions.get(peer)?.drop(new Error("the peer began anew"));
    if (over.signal.aborted) {
      onEnd?.();
      return stream.abort(new Error("the node stops"));
    }
    const session = new Session(count++, peer, stream, { listener, flags: 0 });
    sessions.set(peer, session);
    if (onEnd !== undefined) ends.set(session, onEnd);
    listener.began(session);
    if (session.isOver) listener.ended(session, undefined); // the stream broke at its first byte
    met(remotePeer);
  }
}
