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

/** Blocks, and what brings them to this machine. */
export interface Supply extends Blocks {
  /**
   * Sees to it that a block is here, for who need not read it.
   *
   * @returns its length in bytes
   * @throws {NethoodError} NO_PROVIDERS where nobody reachable has it
   */
  bring(cid: CID, options?: BlockOptions): Promise<number>;
}

/** The same blocks, as far as they are on this machine. */
export function localOnly(blocks: Blocks): Blocks {
  return { get: (cid, options) => blocks.get(cid, { ...options, local: true }) };
}
