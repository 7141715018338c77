/**
 * Every block below a root, each once, in the order in which they come: for who wants all of it, and nothing first. What is
 * below is known of as soon as can be; so a whole site is asked for at once, and its readers have different parts to give.
 */
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { canLink, linksOf } from "./document.ts";

/** Blocks waited for at once. */
const AT_ONCE = 32;

/** Blocks that others are told to be coming, and that are not here, most. */
const MAX_UPCOMING = 8_192;

export interface GatherOptions {
  signal?: AbortSignal | undefined;
  /** Whether a block is left out, with all that is below it. Default: none is. */
  skip?: ((cid: CID) => Promise<boolean>) | undefined;
}

/** @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK, at the first block that cannot be had */
export async function* gather(
  blocks: Blocks,
  root: CID,
  { signal: own, skip }: GatherOptions = {},
): AsyncGenerator<{ cid: CID; block: Uint8Array }> {
  const left = new AbortController();
  const signal = own ? AbortSignal.any([left.signal, own]) : left.signal;
  const known = new Set<string>();
  /** Not asked for yet: nodes, which lead to more and go first, and leaves. */
  const nodes: CID[] = [], leaves: CID[] = [];
  /** Known, and not yet told to be coming. */
  const untold: CID[] = [];
  let told = 0;
  let asked = 0;
  const arrived: { cid: CID; block: Uint8Array | undefined }[] = [];
  let failure: { error: unknown } | undefined;
  let wake = () => {};

  meet(root);
  try {
    while (asked > 0 || nodes.length + leaves.length > 0) {
      while (asked < AT_ONCE && nodes.length + leaves.length > 0) ask(nodes.pop() ?? leaves.pop()!);
      // It may be woken for one that was taken along with the one before.
      while (arrived.length === 0 && !failure) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      signal.throwIfAborted();
      if (failure) throw failure.error;
      const { cid, block } = arrived.shift()!;
      asked--;
      told = Math.max(0, told - 1);
      if (block === undefined) continue;
      if (canLink(cid)) linksOf(cid, block).forEach(meet);
      yield { cid, block };
    }
  } finally {
    left.abort();
  }

  function meet(cid: CID): void {
    const key = cid.toString();
    if (known.has(key)) return;
    known.add(key);
    untold.push(cid);
    (canLink(cid) ? nodes : leaves).push(cid);
  }

  function ask(cid: CID): void {
    asked++;
    const getting = async () =>
      await skip?.(cid) ? undefined : await blocks.get(cid, { signal, upcoming });
    getting().then(
      (block) => arrived.push({ cid, block }),
      (error) => failure ??= { error },
    ).finally(() => wake());
  }

  function upcoming(): CID[] {
    const coming = untold.splice(0, MAX_UPCOMING - told);
    told += coming.length;
    return coming;
  }
}
