/** Who has it, and where somebody is: what this node knows without asking anybody. */
import type { PeerId } from "@libp2p/interface";
import { peerIdFromCID } from "@libp2p/peer-id";
import type { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { parseKey } from "../../src/content/address.ts";
import { unlessMissing } from "../../src/errors.ts";
import type { Node } from "../../src/node.ts";
import type { Distance } from "../../src/routing/network.ts";
import { reaches } from "./asker.ts";
import type { PeerRecord } from "./filter.ts";

export type Known = Pick<Node, "id" | "addresses" | "helia">;

/** How the field calls bitswap among the ways to get a block. */
const BITSWAP = "transport-bitswap";

/** Bitswap's protocols on a libp2p connection, of any version. */
const BITSWAP_PROTOCOL = /^\/ipfs\/bitswap(\/|$)/;

/** This node, where it has the block whole. Of its neighbours it does not know what they have before it asks them for it. */
export async function providers(
  node: Known,
  cid: CID,
  from: Distance,
  options: { signal: AbortSignal },
): Promise<PeerRecord[]> {
  // Such a CID has its bytes in itself: nobody need be asked for them.
  if (cid.multihash.code === identity.code) return [];
  return await node.helia.blockstore.has(cid, options) ? [self(node, from)] : [];
}

/** A peer ID in any of its forms, or undefined: a name of a key may also hold bytes that are none. */
export function parsePeerId(text: string): PeerId | undefined {
  const key = parseKey(text);
  if (key === undefined) return undefined;
  try {
    return peerIdFromCID(key);
  } catch {
    return undefined; // Whatever it says, it is about those bytes.
  }
}

/** What is known of one peer. */
export async function peer(
  node: Known,
  id: PeerId,
  from: Distance,
  options: { signal: AbortSignal },
): Promise<PeerRecord[]> {
  if (id.toString() === node.id) return [self(node, from)];
  const known = await unlessMissing(node.helia.libp2p.peerStore.get(id, options));
  if (known === undefined) return [];
  const { addresses, protocols } = known;
  const speaksBitswap = protocols.some((protocol) => BITSWAP_PROTOCOL.test(protocol));
  return [record(id.toString(), addresses.map(({ multiaddr }) => `${multiaddr}`), {
    from,
    protocols: speaksBitswap ? [BITSWAP] : [],
  })];
}

function self({ id, addresses }: Known, from: Distance): PeerRecord {
  return record(id, addresses, { from, protocols: [BITSWAP] });
}

function record(
  id: string,
  addresses: string[],
  { from, protocols }: { from: Distance; protocols: string[] },
): PeerRecord {
  const end = `/p2p/${id}`;
  return {
    Schema: "peer",
    ID: id,
    Addrs: addresses.filter((address) => reaches(address, from))
      .map((address) => address.endsWith(end) ? address.slice(0, -end.length) : address),
    Protocols: protocols,
  };
}
