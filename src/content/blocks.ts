/** What reading content needs: a block by its CID, wherever it comes from. */
import type { CID } from "multiformats/cid";

export interface Blocks {
  /**
   * The bytes of a block, already checked against its CID.
   *
   * @throws {NethoodError} NO_PROVIDERS where nobody reachable has it
   */
  get(cid: CID, options?: BlockOptions): Promise<Uint8Array>;
}

export interface BlockOptions {
  signal?: AbortSignal | undefined;
  /** What the reader will ask for after this; called where this one has to come from others. Each time it may tell of more. */
  upcoming?: (() => CID[]) | undefined;
  /** Asks nobody else: what is not on this machine is a NOT_CACHED. Default: false. */
  local?: boolean | undefined;
}

/** The same blocks, as far as they are on this machine. */
export function localOnly(blocks: Blocks): Blocks {
  return { get: (cid, options) => blocks.get(cid, { ...options, local: true }) };
}
