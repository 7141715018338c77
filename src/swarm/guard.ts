/**
 * Notices peers that send bytes nobody asked for. A block is named by the hash of its bytes, so a wrong one arrives as a block
 * with another name: whoever sends it is hung up on and not spoken to again while this node runs. The want it should have
 * answered stays open at every other peer.
 */
import type { BlockBroker, Helia } from "@helia/interface";
import type { ConnectionGater, PeerId, TypedEventTarget } from "@libp2p/interface";
import { base64 } from "multiformats/bases/base64";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";

/** Wants are remembered this many wants after they end: a block that arrives late was still asked for. */
const MAX_REMEMBERED = 100_000;

/**
 * How long after the start blocks are taken from peers that were asked nothing yet, in milliseconds: a node that was ended and
 * started again may still be sent what its former self wanted. bitswap's senders give up after as long.
 */
const FORMER_SELF_MS = 10_000;

/** What Helia's bitswap knows and tells, beside what is in Helia's interface. */
interface Bitswap {
  name: "bitswap";
  bitswap: {
    network: TypedEventTarget<{
      "bitswap:message": CustomEvent<Received>;
      "peer:connected": CustomEvent<PeerId>;
    }>;
    /** Says which peer sent which block, after it hashed it. */
    wantList: TypedEventTarget<{ block: CustomEvent<{ cid: CID; sender: PeerId }> }> & {
      wants: Map<string, { cancel: boolean }>;
      /** Keys of the wants that each peer was told. */
      peers: {
        get(peer: PeerId): Set<string> | undefined;
        delete(peer: PeerId): void;
        values(): Iterable<Set<string>>;
      };
    };
  };
}

interface Received {
  message: { blocks: { prefix: Uint8Array }[] };
  connection: { remotePeer: PeerId };
}

export interface Guard {
  /** To be given to libp2p: banned peers can neither dial nor be dialled. */
  gater: ConnectionGater;
  /** To be given to Helia: a broker that has nothing, and so learns what every reader asks for. */
  broker: BlockBroker;
  /** Wants need not go to this peer by bitswap: it speaks the swarm's own protocol. */
  spare(peer: PeerId): void;
  /** Hangs up on a peer that lied, for good. */
  ban(peer: PeerId, why: string): void;
  /** Starts to watch what a running node receives. */
  watch(helia: Helia): void;
}

export function createGuard(onBan: (peer: PeerId, why: string) => void): Guard {
  const wants = new Set<string>();
  /** Hash functions and lengths of the names that were asked for. */
  const shapes = new Set([shapeOf(sha256.code, 32)]);
  const banned = new Set<string>();
  const spared = new Set<string>();
  const isBanned = (peer: PeerId) => banned.has(peer.toString());
  let bitswap: Bitswap["bitswap"] | undefined;

  const retrieve = (cid: CID): Promise<Uint8Array> => {
    const key = keyOf(cid);
    wants.delete(key);
    wants.add(key);
    if (wants.size > MAX_REMEMBERED) wants.delete(wants.values().next().value!);
    shapes.add(shapeOf(cid.multihash.code, cid.multihash.size));
    dropEnded(key);
    return Promise.reject(new Error("the guard only listens"));
  };

  /**
   * A want that was ended a moment ago is still on Helia's list, marked as such; asking again would join it, and end with it.
   * This broker is asked before bitswap is, and so in time to take it off.
   */
  function dropEnded(key: string): void {
    const list = bitswap?.wantList;
    if (!list?.wants.get(key)?.cancel) return;
    list.wants.delete(key);
    for (const told of list.peers.values()) told.delete(key);
  }

  function ban(peer: PeerId, why: string): void {
    if (isBanned(peer)) return;
    banned.add(peer.toString());
    onBan(peer, why);
  }

  return {
    gater: {
      denyDialPeer: isBanned,
      denyInboundEncryptedConnection: isBanned,
      denyOutboundEncryptedConnection: isBanned,
      // It may have been banned while the connection was being made.
      denyInboundUpgradedConnection: isBanned,
      denyOutboundUpgradedConnection: isBanned,
    },
    broker: {
      name: "nethood-guard",
      retrieve,
      createSession: () => ({ name: "nethood-guard", retrieve, addPeer: () => Promise.resolve() }),
    },
    spare(peer) {
      spared.add(peer.toString());
      bitswap?.wantList.peers.delete(peer);
    },
    ban,
    watch(helia) {
      const { blockBrokers } = helia as unknown as { blockBrokers: (Bitswap | { name: "" })[] };
      const broker = blockBrokers.find((broker): broker is Bitswap => broker.name === "bitswap");
      if (broker === undefined) throw new Error("bitswap is not running");
      const { network, wantList } = bitswap = broker.bitswap;
      const began = Date.now();
      const isFormer = (peer: PeerId) =>
        Date.now() - began < FORMER_SELF_MS && !wantList.peers.get(peer)?.size;

      wantList.addEventListener("block", ({ detail: { cid, sender } }) => {
        // Helia's own list has the wants of those who speak to bitswap without a broker.
        const asked = wants.has(keyOf(cid)) || wantList.wants.has(keyOf(cid));
        if (asked || isFormer(sender)) return;
        ban(sender, `it sent ${cid}, which nobody asked for: wrong bytes for some other block`);
      });
      // bitswap learns of a peer when libp2p has identified it, which may be after we met it. It is not told of by then.
      network.addEventListener("peer:connected", ({ detail: peer }) => {
        if (spared.has(peer.toString())) setTimeout(() => wantList.peers.delete(peer));
      });
      // A block whose name cannot be worked out is never told as one.
      network.addEventListener("bitswap:message", ({ detail: { message, connection } }) => {
        const { remotePeer } = connection;
        if (isFormer(remotePeer) || message.blocks.every(({ prefix }) => fits(prefix, shapes))) {
          return;
        }
        ban(remotePeer, "it sent a block with a kind of name that nobody asked for");
      });
    },
  };
}

/** The key of Helia's want list: a block is the same under every codec and CID version. */
function keyOf(cid: CID): string {
  return base64.baseEncode(cid.multihash.bytes);
}

const DAG_PB = 0x70;
const shapeOf = (code: number, size: number) => `${code}:${size}`;

/** Whether the beginning of a CID that stands before a block can be that of one that was asked for. */
function fits(prefix: Uint8Array, shapes: ReadonlySet<string>): boolean {
  try {
    const { version, codec, multihashCode, digestSize } = CID.inspectBytes(prefix);
    return prefix[0] === version && (version === 1 || codec === DAG_PB) &&
      shapes.has(shapeOf(multihashCode, digestSize));
  } catch {
    return false; // no CID starts like this
  }
}
