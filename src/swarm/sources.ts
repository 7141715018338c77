/**
 * Where a block comes from when it is not here: the swarm, and for as long as nobody there offers it, whoever speaks bitswap
 * only. Each of the two stores what it gets; the first that has the block ends the search of the other.
 */
import type { Libp2p } from "@libp2p/interface";
import type { Blockstore } from "interface-blockstore";
import type { CID } from "multiformats/cid";
import { setTimeout as pause } from "node:timers/promises";
import type { ConnectedSwarm } from "./connect.ts";
import type { Network } from "./exchange.ts";

/** How long a new peer has to say that it speaks the swarm's protocol, in milliseconds. */
const GREETING_MS = 300;

/** How often it is looked whether a block has to be asked for by bitswap, in milliseconds. */
const LOOK_MS = 50;

export function createSources(
  { swarm, peers }: Pick<ConnectedSwarm, "swarm" | "peers">,
  bitswap: Pick<Blockstore, "get">,
  libp2p: Pick<Libp2p, "getConnections" | "getPeers">,
): Network {
  return {
    fetch,
    expect: (cids) => swarm.expect(cids),
    handed: (cid, block) => swarm.shelf.handed(cid, block),
    peers: () => libp2p.getPeers().length,
    isOffered: (cid) => swarm.offers(cid) > 0,
  };

  async function fetch(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    const found = new AbortController();
    const until = AbortSignal.any([signal, found.signal]);
    try {
      return await Promise.race([swarm.fetch(cid, until), askStrangers(cid, until)]);
    } finally {
      found.abort();
    }
  }

  async function askStrangers(cid: CID, signal: AbortSignal): Promise<Uint8Array> {
    while (swarm.offers(cid) > 0 || !strangersAreHere()) {
      await pause(LOOK_MS, undefined, { signal });
    }
    for await (const { buffer, byteOffset, byteLength } of bitswap.get(cid, { signal })) {
      // A plain view: it may be a Buffer, whose slice() is not what decoders expect.
      return new Uint8Array(buffer, byteOffset, byteLength);
    }
    throw new Error(`bitswap ended without ${cid}`);
  }

  function strangersAreHere(): boolean {
    const met = Date.now() - GREETING_MS;
    return libp2p.getConnections().some(({ remotePeer, timeline }) =>
      !peers.has(remotePeer.toString()) && timeline.open < met
    );
  }
}
