/**
 * Notices peers that send bytes nobody asked for. A block is named by the hash of its bytes, so a wrong one arrives as a block
 * with another name: whoever sends it is hung up on and not spoken to again while this node runs. The want it should have
 * answered stays open at every other peer.
 */
import type { BlockBroker, Helia } from "@helia/interface";
import type { ConnectionGater, PeerId, TypedEventTarget } from "@libp2p/interface";
import type { CID } from "multiformats/cid";
import { base32upper } from "multiformats/bases/base32";

/** Wants are remembered this many wants after they end: a block that arrives late was still asked for. */
const MAX_REMEMBERED = 100_000;

/** Helia's bitswap says which peer sent which block here, after it hashed it; it is not part of Helia's interface. */
interface Bitswap {
  name: "bitswap";
  bitswap: { wantList: TypedEventTarget<{ block: CustomEvent<{ cid: CID; sender: PeerId }> }> };
}

export interface Guard {
  /** To be given to libp2p: banned peers can neither dial nor be dialled. */
  gater: ConnectionGater;
  /** To be given to Helia: a broker that has nothing, and so learns what every reader asks for. */
  broker: BlockBroker;
  /** Starts to watch what a running node receives. */
  watch(helia: Helia): void;
}

export function createGuard(onBan: (peer: PeerId, why: string) => void): Guard {
  const wants = new Set<string>();
  const banned = new Set<string>();
  const isBanned = (peer: PeerId) => banned.has(peer.toString());

  const retrieve = (cid: CID): Promise<Uint8Array> => {
    const key = keyOf(cid);
    wants.delete(key);
    wants.add(key);
    if (wants.size > MAX_REMEMBERED) wants.delete(wants.values().next().value!);
    return Promise.reject(new Error("the guard only listens"));
  };

  return {
    gater: {
      denyDialPeer: isBanned,
      denyInboundEncryptedConnection: isBanned,
      denyOutboundEncryptedConnection: isBanned,
    },
    broker: {
      name: "nethood-guard",
      retrieve,
      createSession: () => ({ name: "nethood-guard", retrieve, addPeer: () => Promise.resolve() }),
    },
    watch(helia) {
      const { blockBrokers } = helia as unknown as { blockBrokers: (Bitswap | { name: "" })[] };
      const broker = blockBrokers.find((broker): broker is Bitswap => broker.name === "bitswap");
      if (broker === undefined) throw new Error("bitswap is not running");
      broker.bitswap.wantList.addEventListener("block", ({ detail: { cid, sender } }) => {
        if (wants.has(keyOf(cid)) || isBanned(sender)) return;
        banned.add(sender.toString());
        onBan(sender, `it sent ${cid}, which nobody asked for: wrong bytes for some other block`);
      });
    },
  };
}

function keyOf(cid: CID): string {
  return base32upper.encode(cid.multihash.bytes);
}
