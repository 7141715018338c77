/** Everything below a root, fetched, wherever it comes from: what keeping a whole site begins with. */
import { code as DAG_PB, decode } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import type { BlockOptions, Supply } from "./blocks.ts";
import { gather } from "./gather.ts";

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
  /** Whether a block is known to be here with all that is below it, and is left out. Default: none is. */
  skip?: ((cid: CID) => Promise<boolean>) | undefined;
}

/** What is known of this machine and its neighbours. */
export interface Near {
  /** Whether a block is here, at this moment. */
  holds(cid: CID): boolean;
  /** How many peers have something of what is read. */
  peers(): number;
}

/** @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK, at the block that cannot be had; what came before stays here */
export async function fetchWhole(
  blocks: Supply,
  near: Near,
  cid: CID,
  { signal, onProgress, skip }: WholeOptions = {},
): Promise<Whole> {
  const whole: Whole = { cid, blocks: 0, bytes: 0, fetched: 0 };
  /** What had to come from others. It is looked for before anything is asked for. */
  const foreign = new Set<string>();
  const note = (cid: CID): CID => {
    if (!near.holds(cid)) foreign.add(cid.toString());
    return cid;
  };
  let totalBytes: number | undefined;
  const noted = ({ upcoming, ...options }: BlockOptions = {}): BlockOptions => (
    { ...options, upcoming: upcoming && (() => upcoming().map(note)) }
  );
  const noting: Supply = {
    get: (cid, options) => blocks.get(note(cid), noted(options)),
    bring: (cid, options) => blocks.bring(note(cid), noted(options)),
  };
  for await (const { cid: at, block, size } of gather(noting, cid, { signal, skip })) {
    if (whole.blocks++ === 0 && block) totalBytes = claimedSize(at, block);
    whole.bytes += size;
    if (foreign.delete(at.toString())) whole.fetched += size;
    const { blocks, bytes, fetched } = whole;
    const peers = near.peers();
    onProgress?.({ type: "content:keep:block", cid, blocks, bytes, fetched, totalBytes, peers });
  }
  return whole;
}

/** Bytes of a whole DAG as its root says. What is in it twice is counted twice. */
export function claimedSize(cid: CID, block: Uint8Array): number | undefined {
  if (cid.code !== DAG_PB) return undefined;
  const size = decode(block).Links.reduce((sum, { Tsize = 0 }) => sum + Tsize, block.byteLength);
  return Number.isSafeInteger(size) ? size : undefined;
}
