/**
 * Where a block comes from when it is not here: the swarm, and whoever speaks bitswap only, where nobody in the swarm offers it
 * or who does keeps the reader waiting. Each of the two stores what it gets.
 */
import type { Blocks } from "@helia/interface";
import type { Libp2p, PeerId } from "@libp2p/interface";
import type { CID } from "multiformats/cid";
import type { ConnectedSwarm } from "./connect.ts";
import type { Network } from "./exchange.ts";
import { Ticker } from "./ticker.ts";

/** How long a new peer has to say that it speaks the swarm's protocol, in milliseconds. */
const GREETING_MS = 300;

/** How often it is looked whether a block has to be asked for by bitswap, in milliseconds. */
const LOOK_MS = 50;

/** What Helia's bitswap tells of a block that came. */
interface BlockCame {
  detail: { sender: PeerId };
}

/**
 * How long the swarm alone may take for a block that somebody there offers, in milliseconds: an offer is a promise, not a
 * delivery. To ask too soon would make strangers send what is already on its way.
 */
const PATIENCE_MS = 5_000;

export interface Sources extends Network {
  /** How many of the connected peers have something that is talked about: they said so, or sent it. */
  offering(): number;
}

export function createSources(
  { swarm, peers }: Pick<ConnectedSwarm, "swarm" | "peers">,
  bitswap: Pick<Blocks, "get">,
  libp2p: Pick<Libp2p, "getConnections" | "getPeers">,
): Sources {
  /** Those who speak bitswap only, and sent something. */
  const senders = new Set<string>();
  const ticker = new Ticker(LOOK_MS);
  let strangers = { at: 0, here: false };
  return {
    fetch,
    expect: (cids) => swarm.expect(cids),
    handed: (cid, block) => swarm.shelf.handed(cid, block),
    peers: () =>
      new Set(libp2p.getConnections().map(({ remotePeer }) => remotePeer.toString())).size,
    isOffered: (cid) => swarm.isOffered(cid),
    offering,
  };

  async function fetch(cid: CID, signal: AbortSignal): Promise<void> {
    await Promise.race([swarm.fetch(cid, signal), askStrangers(cid, signal)]);
  }

  async function askStrangers(cid: CID, signal: AbortSignal): Promise<void> {
    const patient = Date.now() + PATIENCE_MS;
    const mayAsk = () => strangersAreHere() && (Date.now() >= patient || !swarm.isOffered(cid));
    await ticker.until(mayAsk, signal);
    const onProgress = (event: { type: string; detail?: unknown }) => {
      if (event.type === "bitswap:block") senders.add(String((event as BlockCame).detail.sender));
    };
    for await (const _ of bitswap.get(cid, { signal, onProgress })) return;
    throw new Error(`bitswap ended without ${cid}`);
  }

  function offering(): number {
    const members = [...peers.values()].filter(({ number }) => swarm.holdings.of(number).size > 0);
    // Asked for with every block: libp2p makes a peer ID anew for each that it names.
    const strangers = [...senders].filter((peer) => !peers.has(peer));
    if (strangers.length === 0) return members.length;
    const connected = new Set(libp2p.getPeers().map(String));
    return members.length + strangers.filter((peer) => connected.has(peer)).length;
  }

  /** Looked up once a tick, however many wait. */
  function strangersAreHere(): boolean {
    const now = Date.now();
    if (now - strangers.at < LOOK_MS) return strangers.here;
    const here = libp2p.getConnections().some(({ remotePeer, timeline }) =>
      !peers.has(remotePeer.toString()) && timeline.open < now - GREETING_MS
    );
    strangers = { at: now, here };
    return here;
  }
}
