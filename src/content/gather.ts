/**
 * Every block below a root, each once, in the order in which they come: for who wants all of it, and nothing first. What is
 * below is known of as soon as can be; so a whole site is asked for at once, and its readers have different parts to give.
 */
import type { CID } from "multiformats/cid";
import type { Supply } from "./blocks.ts";
import { canLink, linksOf } from "./document.ts";

/** Blocks waited for at once. */
const AT_ONCE = 32;

/** Blocks that others are told to be coming, and that are not here, most. */
const MAX_UPCOMING = 8_192;

export interface GatherOptions {
  signal?: AbortSignal | undefined;
  /** Asks nobody else: what is not on this machine is a NOT_CACHED. Default: false. */
  local?: boolean | undefined;
  /** Whether a block is left out, with all that is below it. Default: none is. */
  skip?: ((cid: CID) => Promise<boolean>) | undefined;
}

/** A block that is here. */
export interface Gathered {
  cid: CID;
  /** Its bytes, of a node; a leaf leads to nothing, and is not read. */
  block: Uint8Array | undefined;
  /** How many they are. */
  size: number;
}

/** @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK, at the first block that cannot be had */
export async function* gather(
  blocks: Supply,
  root: CID,
  { signal: own, local, skip }: GatherOptions = {},
): AsyncGenerator<Gathered> {
  const left = new AbortController();
  const signal = own ? AbortSignal.any([left.signal, own]) : left.signal;
  const known = new Set<string>();
  /** Not asked for yet: nodes, which lead to more and go first, and leaves. */
  const nodes: CID[] = [], leaves: CID[] = [];
  /** Known, and not yet told to be coming. */
  const untold: CID[] = [];
  let told = 0;
  let asked = 0;
  const arrived: (Gathered | undefined)[] = [];
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
      const gathered = arrived.shift();
      asked--;
      told = Math.max(0, told - 1);
      if (gathered === undefined) continue;
      if (gathered.block) linksOf(gathered.cid, gathered.block).forEach(meet);
      yield gathered;
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
    fetch(cid).then(
      (gathered) => arrived.push(gathered),
      (error) => failure ??= { error },
    ).finally(() => wake());
  }

  async function fetch(cid: CID): Promise<Gathered | undefined> {
    if (await skip?.(cid)) return undefined;
    const options = { signal, local, upcoming };
    const block = canLink(cid) ? await blocks.get(cid, options) : undefined;
    const size = block?.byteLength ?? await blocks.bring(cid, options);
    return { cid, block, size };
  }

  function upcoming(): CID[] {
    const coming = untold.splice(0, MAX_UPCOMING - told);
    told += coming.length;
    return coming;
  }
}
