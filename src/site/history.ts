/** A site's versions, the newest first, each checked before it is told. */
import type { Helia } from "@helia/interface";
import type { CID } from "multiformats/cid";
import type { Blocks } from "../content/blocks.ts";
import { NethoodError } from "../errors.ts";
import type { VersionLink } from "../name/record.ts";
import { invalid, readVersion, type Version } from "./version.ts";

/** Versions that are walked back, most: a chain that somebody signs day and night must have an end for its readers. */
const LIMIT = 10_000;

/** A version, and the block that says so. */
export interface ListedVersion extends Version {
  cid: CID;
}

export interface HistoryOptions {
  /** The IPNS name of the key that has signed all of them. */
  key: CID;
  keychain: Pick<Helia["keychain"], "loadPublicKeyFromProtobuf">;
  /** Most versions that are told. Default, and most: 10,000. */
  limit?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Walks the chain from its head, which a signed record names. What came before a fault is told; then it is thrown.
 *
 * @throws {NethoodError} VERSION_INVALID for a version with another number than the record or the version after it says, of another
 * signer, or with a broken signature; VERSION_MISSING for a hole
 */
export async function* history(
  blocks: Blocks,
  head: VersionLink,
  { key, keychain, limit = LIMIT, signal }: HistoryOptions,
): AsyncGenerator<ListedVersion> {
  let next: VersionLink | undefined = head;
  // Each number is one less than the one after it, so no circle can be walked twice.
  for (let left = Math.min(limit, LIMIT); left > 0 && next !== undefined; left--) {
    const { cid, number }: VersionLink = next;
    const version = await readVersion(cid, await block(blocks, next, signal), { key, keychain });
    if (version.number !== number) {
      const by = next === head ? "the site's record" : `version ${number + 1}`;
      throw invalid(
        cid,
        `says that it is number ${version.number}, and ${by} that it is ${number}`,
      );
    }
    yield { ...version, cid };
    next = version.previous ? { cid: version.previous, number: number - 1 } : undefined;
  }
}

async function block(
  blocks: Blocks,
  { cid, number }: VersionLink,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  try {
    return await blocks.get(cid, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if (!(cause instanceof NethoodError) || cause.code === "STOPPED") throw cause;
    throw new NethoodError(
      "VERSION_MISSING",
      `Nobody reachable has version ${number} of the site (${cid}), nor says what came before it.`,
      {
        cause,
        hint: "Try again when its publisher, or somebody who keeps its versions, is online.",
      },
    );
  }
}
