/** What differs between two trees: found by CIDs, so that what is the same in both is never read. */
import { code as DAG_PB } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import type { Blocks } from "../content/blocks.ts";
import { type Difference, differing } from "../content/differing.ts";
import { type DirectoryNode, list } from "../content/directory.ts";
import { decodeNode, type Link } from "../content/unixfs.ts";
import { NethoodError } from "../errors.ts";

export type Change =
  /** A file (or symbolic link) that was not there before. */
  | { kind: "added"; path: string; to: CID; size: number }
  | { kind: "changed"; path: string; from: CID; to: CID; size: number }
  | { kind: "removed"; path: string; from: CID };

export interface Counts {
  added: number;
  changed: number;
  removed: number;
}

type Options = { signal?: AbortSignal | undefined };

/** Names that are compared, most: a folder can hold itself many times over without being large. */
const MAX_NAMES = 1_000_000;

/**
 * The files that differ, folder by folder; `size` is in bytes of blocks, as the folder above claims. Only folders are read, and
 * of each folder only what differs.
 *
 * @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK, UNSUPPORTED for more than a million names that differ
 */
export async function* diff(
  blocks: Blocks,
  from: CID,
  to: CID,
  options: Options = {},
): AsyncGenerator<Change> {
  const left: { path: string; from?: Target | undefined; to?: Target | undefined }[] = [
    { path: "", from: { cid: from, size: 0 }, to: { cid: to, size: 0 } },
  ];
  let names = 0;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    options.signal?.throwIfAborted();
    const { path } = next;
    if (next.from && next.to?.cid.equals(next.from.cid)) continue;
    const before = next.from && await directory(blocks, next.from.cid, options);
    const after = next.to && await directory(blocks, next.to.cid, options);
    yield* fileChanges(path, before ? undefined : next.from, after ? undefined : next.to);
    const below: typeof left = [];
    for await (const { name, from, to } of differences(blocks, before, after, options)) {
      if (++names > MAX_NAMES) throw tooMany();
      below.push({ path: path === "" ? name : `${path}/${name}`, from, to });
    }
    left.push(...below.reverse());
  }
}

/** None yet. */
export function countOf(): Counts {
  return { added: 0, changed: 0, removed: 0 };
}

/** How many files differ. @throws {NethoodError} as {@link diff} */
export async function countChanges(
  blocks: Blocks,
  from: CID,
  to: CID,
  options: Options = {},
): Promise<Counts> {
  const counts = countOf();
  for await (const { kind } of diff(blocks, from, to, options)) counts[kind]++;
  return counts;
}

function tooMany(): NethoodError {
  return new NethoodError("UNSUPPORTED", `More than ${MAX_NAMES} names differ.`, {
    hint: "Compare single folders of the two versions by other means.",
  });
}

type Target = Pick<Link, "cid" | "size">;

function* fileChanges(
  path: string,
  from: Target | undefined,
  to: Target | undefined,
): Generator<Change> {
  if (from && to) yield { kind: "changed", path, from: from.cid, to: to.cid, size: to.size };
  else if (to) yield { kind: "added", path, to: to.cid, size: to.size };
  else if (from) yield { kind: "removed", path, from: from.cid };
}

/** Undefined for a file; a leaf is not read to learn that it is one. */
async function directory(
  blocks: Blocks,
  cid: CID,
  options: Options,
): Promise<DirectoryNode | undefined> {
  if (cid.code !== DAG_PB) return undefined;
  const node = decodeNode(cid, await blocks.get(cid, options));
  return node.kind === "directory" || node.kind === "shard" ? node : undefined;
}

async function* differences(
  blocks: Blocks,
  before: DirectoryNode | undefined,
  after: DirectoryNode | undefined,
  options: Options,
): AsyncGenerator<Difference> {
  if (before && after) return yield* differing(blocks, before, after, options);
  const [only, side] = before ? [before, "from"] : [after, "to"];
  if (only === undefined) return;
  for await (const link of list(blocks, only, options)) {
    yield { name: link.name, [side!]: link };
  }
}
