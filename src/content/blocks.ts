/** What reading content needs: a block by its CID, wherever it comes from. */
import type { CID } from "multiformats/cid";

export interface Blocks {
  /**
   * The bytes of a block, already checked against its CID.
   *
   * @throws {NethoodError} NO_PROVIDERS where nobody reachable has it
   */
  get(cid: CID, options?: { signal?: AbortSignal | undefined }): Promise<Uint8Array>;
}
