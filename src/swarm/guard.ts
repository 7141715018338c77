/**
 * Notices peers that send bytes nobody asked for. A block is named by the hash of its bytes, so a wrong one arrives as a block
 * with another name: whoever sends it is hung up on and not spoken to again while this node runs. The want it should have
 * answered stays open at every other peer.
 */
import type { ConnectionGater, PeerId } from "@libp2p/interface";
import type { CID } from "multiformats/cid";
import { base32upper } from "multiformats/bases/base32";

/** Wants are remembered this long after they end: a block that arrives late was still asked for. */
const MAX_REMEMBERED = 100_000;

export interface Guard {
  /** To be given to libp2p: banned peers can neither dial nor be dialled. */
  gater: ConnectionGater;
  /** Says that a block is asked for. */
  wanted(cid: CID): void;
  /** Says that a peer sent a block; bans it where nobody asked for that block. */
  received(cid: CID, sender: PeerId): void;
  banned(): string[];
}

export function createGuard(onBan: (peer: PeerId, why: string) => void): Guard {
  const wants = new Set<string>();
  const banned = new Set<string>();
  const isBanned = (peer: PeerId) => banned.has(peer.toString());
  return {
    gater: {
      denyDialPeer: isBanned,
      denyInboundEncryptedConnection: isBanned,
      denyOutboundEncryptedConnection: isBanned,
    },
    wanted(cid) {
      const key = keyOf(cid);
      wants.delete(key);
      wants.add(key);
      if (wants.size > MAX_REMEMBERED) wants.delete(wants.values().next().value!);
    },
    received(cid, sender) {
      if (wants.has(keyOf(cid)) || isBanned(sender)) return;
      banned.add(sender.toString());
      onBan(sender, `it sent ${cid}, which nobody asked for: wrong bytes for some other block`);
    },
    banned: () => [...banned],
  };
}

function keyOf(cid: CID): string {
  return base32upper.encode(cid.multihash.bytes);
}
