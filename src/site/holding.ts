/** The versions of a followed site that are here: how one more comes, and the oldest goes. */
import type { Helia } from "@helia/interface";
import type { CID } from "multiformats/cid";
import { localOnly, type Supply } from "../content/blocks.ts";
import { pinEach } from "../content/pin.ts";
import { isWhole, pinTree, unpinTree } from "../content/pin-tree.ts";
import { locate } from "../content/read.ts";
import { claimedSize, fetchWhole, type Near } from "../content/whole.ts";
import { NethoodError } from "../errors.ts";
import type { Names } from "../name/names.ts";
import type { VersionLink } from "../name/record.ts";
import type { Follows } from "../store/follows.ts";
import type { FollowProgress, Taken, Target } from "./follow.ts";
import { history } from "./history.ts";

/** Versions that stay, where nobody says how many. */
export const KEEP = 1;

export interface HoldingOptions {
  helia: Pick<Helia, "pins" | "keychain">;
  blocks: Supply;
  near: Near;
  names: Pick<Names, "settle">;
  follows: Follows;
  /** All of what `work` writes, or nothing. */
  transaction<T>(work: () => T): T;
}

export interface Holding {
  /** Fetches a version and pins it; then it is in force. */
  take(
    target: Target,
    options: { signal: AbortSignal; onProgress(progress: FollowProgress): void },
  ): Promise<Taken>;
  /** Lets go what is beyond the versions that are to stay, and keeps what the site's log is read from. */
  tidy(target: Target, signal: AbortSignal): Promise<void>;
}

export function createHolding(
  site: string,
  { helia, blocks, near, names, follows, transaction }: HoldingOptions,
): Holding {
  const label = `/ipns/${site}`;
  /** The newest version whose predecessors were looked for. */
  let walked: string | undefined;
  const keep = () => follows.get(site)?.keep ?? KEEP;

  return {
    async take({ root, path, version, keys }, { signal, onProgress }) {
      const number = version?.number;
      const { cid, above } = await locate(blocks, root, path, { signal });
      const whole = await fetchWhole(blocks, near, cid, {
        signal,
        skip: (cid) => isWhole(helia, cid),
        onProgress: (progress) => {
          if (progress.type !== "content:keep:block") return;
          const { bytes, totalBytes, fetched, peers } = progress;
          onProgress({ site, number, bytes, totalBytes, fetched, peers });
        },
      });
      await pinEach(helia, blocks, above, label, { signal });
      await pinTree(helia, blocks, cid, label, { signal, since: follows.held(site)[0]?.root });
      const bytes = claimedSize(cid, await localOnly(blocks).get(cid, { signal })) ?? whole.bytes;
      signal.throwIfAborted();
      const [newest] = follows.held(site);
      const same = newest?.root.equals(cid) && newest.number === number;
      transaction(() => {
        if (!same) follows.add(site, { root: cid, number, bytes, taken: Date.now() });
        for (const { key, record } of keys) names.settle(key, record);
      });
      const versions = Math.min(follows.held(site).length, keep());
      return { site, cid, number, bytes, fetched: whole.fetched, versions };
    },

    async tidy({ version, keys }, signal) {
      const held = follows.held(site);
      const kept = held.slice(0, keep()).map(({ root }) => root);
      for (const { root, position } of held.slice(keep()).reverse()) {
        // The row goes last: interrupted, it is let go again.
        await unpinTree(helia, blocks, root, label, kept, { signal });
        follows.drop(site, position);
      }
      const key = keys.at(-1)?.key;
      if (version === undefined || key === undefined || walked === String(version.cid)) return;
      try {
        await keepChain(version, key, signal);
      } catch (error) {
        // The site is whole without those before it; they are looked for with the next version.
        if (!(error instanceof NethoodError) || error.code !== "VERSION_MISSING") throw error;
      }
      walked = String(version.cid);
    },
  };

  /** Who asks for the site's log asks those who follow it, too. */
  async function keepChain(version: VersionLink, key: CID, signal: AbortSignal): Promise<void> {
    const { keychain } = helia;
    for await (const { cid } of history(blocks, version, { key, keychain, signal })) {
      if (await helia.pins.isPinned(cid)) return;
      await pinEach(helia, blocks, [cid], label, { signal });
    }
  }
}
