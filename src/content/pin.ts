/**
 * Pins: what this node has promised to keep. They are Helia's own, so that its garbage collection spares them; only the walk
 * is ours, since Helia's would read every byte of every file just to learn that a leaf has no children.
 */
import type { GraphWalkerFactory, Helia } from "@helia/interface";
import type { CID } from "multiformats/cid";
import { unlessMissing } from "../errors.ts";
import type { Blocks } from "./blocks.ts";
import { canLink, linksOf } from "./document.ts";

type Options = { signal?: AbortSignal | undefined };

/** Who wants what is pinned; a pin's metadata. */
export interface Owners {
  /** The address under which it was wanted first. */
  address?: string;
  /** The site that it is a part of; then all below it is pinned, too (pin-tree.ts). */
  whole?: string | undefined;
  /** Whether others want it, with all below it. */
  also?: boolean | undefined;
  /** Whether somebody passed through it on the way to a page. */
  passed?: boolean | undefined;
}

/** Pins a whole DAG whose leaves are in the store already: they are named, not read. */
export async function pinAll(
  helia: Pick<Helia, "pins">,
  blocks: Blocks,
  root: CID,
  label: string,
  options: Options = {},
): Promise<void> {
  if (await addPin(helia, blocks, root, Infinity, { address: label }, options)) return;
  const { depth, owners } = (await findPin(helia, root))!;
  if (owners.whole !== undefined && owners.whole !== label && !owners.also) {
    await changeOwners(helia, root, { also: true });
  }
  if (depth === Infinity) return;
  // A folder that was passed through once is now wanted whole. Its own pin stays, and its children get theirs: a pin cannot be
  // deepened, and to remove it first would leave the folder unprotected, for good if this ended in between.
  for (const child of await children(blocks, root, options)) {
    await pinAll(helia, blocks, child, label, options);
  }
}

/** Pins single blocks, without what is below them: the folders on the way to a page. */
export async function pinEach(
  helia: Pick<Helia, "pins">,
  blocks: Blocks,
  cids: CID[],
  label: string,
  options: Options = {},
): Promise<void> {
  for (const cid of cids) {
    if (await addPin(helia, blocks, cid, 0, { address: label }, options)) continue;
    const { whole, passed } = (await findPin(helia, cid))?.owners ?? {};
    if (whole !== undefined && !passed) await changeOwners(helia, cid, { passed: true });
  }
}

/**
 * Pins every block of a DAG that the store has, and asks nobody for the others.
 *
 * @returns how many are not here
 */
export async function pinPresent(
  helia: Pick<Helia, "pins">,
  store: { read(cid: CID, options?: { signal?: AbortSignal }): Promise<Uint8Array | undefined> },
  root: CID,
  label: string,
  options: Options = {},
): Promise<number> {
  const seen = new Set<string>();
  const left = [root];
  let missing = 0;
  for (let cid = left.pop(); cid !== undefined; cid = left.pop()) {
    if (seen.has(cid.toString())) continue;
    seen.add(cid.toString());
    const block = await store.read(cid, options.signal ? { signal: options.signal } : {});
    if (block === undefined) missing++;
    else {
      await pinEach(helia, { get: () => Promise.resolve(block) }, [cid], label, options);
      // One by one: a block can have more links than a call can have arguments.
      for (const link of linksOf(cid, block)) left.push(link);
    }
  }
  return missing;
}

/** Whether the pin is new; one of this root that exists already stays as it is, whatever its depth. */
export function addPin(
  { pins }: Pick<Helia, "pins">,
  blocks: Blocks,
  root: CID,
  depth: number,
  owners: Owners,
  { signal }: Options,
): Promise<boolean> {
  const options = {
    depth,
    walker: walker(blocks),
    metadata: metadataOf(owners),
    ...(signal && { signal }),
  };
  return inTurn(pins, async () => {
    signal?.throwIfAborted();
    try {
      for await (const _ of pins.add(root, options)) signal?.throwIfAborted();
      return true;
    } catch (error) {
      if (error instanceof Error && error.name === "AlreadyPinnedError") return false;
      throw error;
    }
  });
}

/** The pin of this root; undefined where there is none. */
export async function findPin(
  { pins }: Pick<Helia, "pins">,
  root: CID,
): Promise<{ depth: number; owners: Owners } | undefined> {
  const pin = await unlessMissing(pins.get(root));
  return pin && { depth: pin.depth, owners: pin.metadata as Owners };
}

export function changeOwners(
  { pins }: Pick<Helia, "pins">,
  root: CID,
  change: Owners,
): Promise<void> {
  return inTurn(pins, async () => {
    const { metadata } = await pins.get(root);
    await pins.setMetadata(root, metadataOf({ ...metadata, ...change }));
  });
}

/** Takes a pin of this root back; what other pins cover stays pinned. */
export function removePin(
  { pins }: Pick<Helia, "pins">,
  blocks: Blocks,
  root: CID,
  { signal }: Options,
): Promise<void> {
  return inTurn(pins, async () => {
    for await (const _ of pins.rm(root, { walker: walker(blocks), ...(signal && { signal }) }));
  });
}

function metadataOf(owners: Owners): Record<string, string | boolean> {
  return Object.fromEntries(Object.entries(owners).filter(([, value]) => value !== undefined));
}

/** The latest pin on its way. Helia counts a block's pins in two steps, so that of two at once one would not be counted. */
const latest = new WeakMap<Helia["pins"], Promise<unknown>>();

function inTurn<T>(pins: Helia["pins"], work: () => Promise<T>): Promise<T> {
  const turn = (latest.get(pins) ?? Promise.resolve()).then(work, work);
  latest.set(pins, turn);
  return turn;
}

/** Walks what can have links, and names leaves without reading them. */
function walker(blocks: Blocks): GraphWalkerFactory {
  return () => ({
    async *walk(root, { depth: limit = Infinity, signal } = {}) {
      const seen = new Set<string>();
      const left: { cid: CID; depth: number }[] = [{ cid: root, depth: 0 }];
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const { cid, depth } = next;
        if (seen.has(cid.toString())) continue;
        seen.add(cid.toString());
        // deno-lint-ignore no-explicit-any -- pins use the CID alone; the interface asks for the decoded block too
        yield { block: { cid } as any, depth, path: [] };
        if (depth >= limit) continue;
        const below = await children(blocks, cid, { signal });
        for (const cid of below) left.push({ cid, depth: depth + 1 });
      }
    },
  });
}

async function children(blocks: Blocks, cid: CID, options: Options): Promise<CID[]> {
  return canLink(cid) ? linksOf(cid, await blocks.get(cid, options)) : [];
}
