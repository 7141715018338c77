/**
 * Walks of a DAG, depth first: which blocks a reader needs, in the order in which it needs them. A few blocks are read ahead of
 * whoever consumes them; one that stops consuming stops the reads.
 */
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import type { Range } from "./file.ts";
import { linksOf } from "./document.ts";
import { broken, decodeNode, type UnixNode } from "./unixfs.ts";

/** One block of a walk, and how it goes on below. */
export interface Step {
  cid: CID;
  /** Everything below belongs to the walk: a block that comes twice need not be walked twice. */
  whole: boolean;
  below(block: Uint8Array): Step[];
}

export interface WalkOptions {
  signal?: AbortSignal | undefined;
  /** Each block as often as it is come upon. Default: once. */
  duplicates?: boolean;
}

/** Blocks that are asked for ahead of the reader. */
const AHEAD = 8;

/** Most blocks held at once: those that were asked for wait while what is below an earlier one is walked. */
const MAX_HELD = 32;

/** Blocks that may be on their way before the walk comes to them. */
const MAX_TOLD = 4_096;

/** Most levels of a file; see file.ts. */
const MAX_DEPTH = 64;

/** @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK, at the block that cannot be had */
export async function* walk(
  blocks: Blocks,
  steps: Step[],
  { signal: own, duplicates = false }: WalkOptions = {},
): AsyncGenerator<{ cid: CID; block: Uint8Array }> {
  const left = new AbortController();
  const signal = own ? AbortSignal.any([left.signal, own]) : left.signal;
  const pending: { step: Step; block?: Promise<Uint8Array>; told?: true }[] = [];
  // One by one: a block can have more links than a call can have arguments.
  const push = (steps: Step[]) => steps.reverse().forEach((step) => pending.push({ step }));
  const sent = new Set<string>();
  const walked = new Set<string>();
  let held = 0;
  push([...steps]);
  try {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { cid, whole, below } = next.step;
      const key = cid.toString();
      if (next.block) held--;
      if (!duplicates && walked.has(key)) continue;
      askAhead();
      const block = await (next.block ?? blocks.get(cid, { signal, upcoming }));
      signal.throwIfAborted();
      push(below(block));
      if (whole) walked.add(key);
      if (!duplicates && sent.has(key)) continue;
      sent.add(key);
      yield { cid, block };
    }
  } finally {
    left.abort();
  }

  /** Each block of the walk that is known of, once. */
  function upcoming(): CID[] {
    const coming: CID[] = [];
    for (const next of pending.slice(-MAX_TOLD)) {
      if (next.told) continue;
      next.told = true;
      coming.push(next.step.cid);
    }
    return coming;
  }

  function askAhead(): void {
    for (const next of pending.slice(-AHEAD).reverse()) {
      if (held >= MAX_HELD) return;
      if (next.block || !duplicates && walked.has(next.step.cid.toString())) continue;
      held++;
      next.block = blocks.get(next.step.cid, { signal, upcoming });
      // Awaited when its turn comes; until then a failure is nobody's, and must not end the process.
      next.block.catch(() => undefined);
    }
  }
}

/** The block alone. */
export function single(cid: CID): Step {
  return { cid, whole: false, below: () => [] };
}

/** The block, and all that its links lead to. */
export function everything(cid: CID): Step {
  return { cid, whole: true, below: (block) => linksOf(cid, block).map(everything) };
}

/** A directory without what is in it: the block, and where it is sharded all its shards. */
export function shards(cid: CID): Step {
  return {
    cid,
    whole: true,
    below(block) {
      const node = decodeNode(cid, block);
      if (node.kind !== "shard") return [];
      const width = (2 ** node.bits - 1).toString(16).length;
      return node.links.filter(({ name }) => name.length === width).map(({ cid }) => shards(cid));
    },
  };
}

/** The blocks that hold a range of a file; `start` and `end` are this part's place in it. */
export function part(
  cid: CID,
  range: Range,
  { start, end, depth = 0 }: Range & { depth?: number },
): Step {
  return {
    cid,
    whole: range.start <= start && end <= range.end,
    below(block) {
      const node = decodeNode(cid, block);
      if (node.kind !== "file" || node.size !== end - start || depth > MAX_DEPTH) {
        throw broken(cid, "is not the part of its file that its parent says");
      }
      return parts(node, start).filter((part) => overlap(part, range))
        .map(({ cid, ...place }) => part(cid, range, { ...place, depth: depth + 1 }));
    },
  };
}

function parts({ data, parts }: Extract<UnixNode, { kind: "file" }>, start: number) {
  let next = start + data.byteLength;
  return parts.map(({ cid, size }) => ({ cid, start: next, end: next += size }));
}

function overlap(one: Range, other: Range): boolean {
  return Math.max(one.start, other.start) < Math.min(one.end, other.end);
}
