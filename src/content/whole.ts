/** Everything below a root, fetched, wherever it comes from: what keeping a whole site begins with. */
import { code as DAG_PB, decode } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { everything, walk } from "./dag.ts";

/** How far the keeping of everything below an address has come. */
export type KeepProgress =
  /** Another block is here; with the last one `bytes` equals `totalBytes`, unless the root claims what is not so. */
  | KeepBlock
  /** All blocks are here, and are pinned now. */
  | { type: "content:keep:pin"; cid: CID; blocks: number; bytes: number };

export interface KeepBlock {
  type: "content:keep:block";
  /** The root. */
  cid: CID;
  /** Blocks that are here. */
  blocks: number;
  /** Bytes that are here. */
  bytes: number;
  /** Those of them that came from others. */
  fetched: number;
  /** Bytes in all, as the root claims; undefined where it claims nothing, or is not here yet. Nobody has checked it before the end. */
  totalBytes: number | undefined;
  /** Peers that have something of it, as far as they said. */
  peers: number;
}

/** What was fetched, and what was here before. */
export interface Whole {
  cid: CID;
  blocks: number;
  bytes: number;
  fetched: number;
}

export interface WholeOptions {
  signal?: AbortSignal | undefined;
  /** Called for each block, as soon as it is known to be here. */
  onProgress?: ((progress: KeepProgress) => void) | undefined;
}

/** What is known of this machine and its neighbours. */
export interface Near {
  /** Whether a block is here, at this moment. */
  holds(cid: CID): boolean;
  /** How many peers have something of what is read. */
  peers(): number;
  /** Tells of each block that comes from now on. @returns what ends it */
  arrivals(tell: (cid: CID, block: Uint8Array) => void): () => void;
}

/** @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK, at the block that cannot be had; what came before stays here */
export async function fetchWhole(
  blocks: Blocks,
  near: Near,
  cid: CID,
  { signal, onProgress }: WholeOptions = {},
): Promise<Whole> {
  const whole: Whole = { cid, blocks: 0, bytes: 0, fetched: 0 };
  /** Whether each block that is known of has to come from others, and how much of it came before the walk came to it. */
  const known = new Map<string, { foreign: boolean; early: number }>();
  const early = { blocks: 0, bytes: 0 };
  let totalBytes: number | undefined;

  function meet(cid: CID): CID {
    const key = cid.toString();
    if (!known.has(key)) known.set(key, { foreign: !near.holds(cid), early: 0 });
    return cid;
  }

  function tell(): void {
    onProgress?.({
      type: "content:keep:block",
      cid,
      blocks: whole.blocks + early.blocks,
      bytes: whole.bytes + early.bytes,
      fetched: whole.fetched + early.bytes,
      totalBytes,
      peers: near.peers(),
    });
  }

  const noting: Blocks = {
    get: (cid, { upcoming, ...options } = {}) =>
      blocks.get(meet(cid), { ...options, upcoming: upcoming && (() => upcoming().map(meet)) }),
  };
  const walked = new Set<string>();
  const leave = near.arrivals((cid, { byteLength }) => {
    const block = known.get(cid.toString());
    if (!block?.foreign || block.early > 0 || walked.has(cid.toString())) return;
    block.early = byteLength;
    early.blocks++;
    early.bytes += byteLength;
    tell();
  });
  try {
    for await (const { cid: at, block } of walk(noting, [everything(cid)], { signal })) {
      if (whole.blocks++ === 0) totalBytes = claimedSize(at, block);
      const met = known.get(at.toString())!;
      const wasTold = met.early > 0;
      if (wasTold) early.blocks--;
      early.bytes -= met.early;
      whole.bytes += block.byteLength;
      if (met.foreign) whole.fetched += block.byteLength;
      walked.add(at.toString());
      if (!wasTold) tell();
    }
  } finally {
    leave();
  }
  return whole;
}

/** Bytes of a whole DAG as its root says. What is in it twice is counted twice. */
function claimedSize(cid: CID, block: Uint8Array): number | undefined {
  if (cid.code !== DAG_PB) return undefined;
  const size = decode(block).Links.reduce((sum, { Tsize = 0 }) => sum + Tsize, block.byteLength);
  return Number.isSafeInteger(size) ? size : undefined;
}
