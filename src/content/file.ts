/**
 * A file's bytes as a stream. It reads only the blocks that a range needs, a few ahead of the reader and no more: a slow
 * client never makes the node hold a whole film in memory, and one that leaves stops the work done for it.
 */
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { broken, decodeNode, type UnixNode } from "./unixfs.ts";

export interface Range {
  /** First byte. */
  start: number;
  /** The byte after the last. */
  end: number;
}

type FileNode = Extract<UnixNode, { kind: "file" }>;

/** Blocks asked for ahead of the reader: 8 MiB of 1 MiB blocks keep a line of 1 Gbit/s and 60 ms busy. */
export const AHEAD = 8;

/**
 * How far ahead a block's bytes may begin. A block that only links to others stands for far more bytes than it has; without
 * this the whole of AHEAD would go to such blocks, and the bytes that are next would come one block at a time.
 */
const AHEAD_BYTES = 8 * 1024 * 1024;

/**
 * What all readers of this program together may have asked for ahead, in bytes: a thousand of them with eight blocks each would
 * fill the memory. Who gets none of it reads block by block.
 */
const ALL_AHEAD_BYTES = 128 * 1024 * 1024;

/** No block is larger, in bytes. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

let allAhead = 0;

/**
 * How far ahead of the reader what is not here is asked for without hurry, in bytes of the file: readers of the same file then
 * have different parts of it to give to each other.
 */
const UPCOMING_BYTES = 64 * 1024 * 1024;

/** Most levels of a file. Balanced trees of any size have fewer than ten; a chain without end is hostile. */
const MAX_DEPTH = 64;

/** A part of the file that is still to be read; `node` is set once it has been asked for. */
interface Pending {
  cid: CID;
  start: number;
  end: number;
  depth: number;
  node?: Promise<UnixNode>;
  /** What it takes of {@link ALL_AHEAD_BYTES}. */
  ahead?: number;
}

export async function* readFile(
  blocks: Blocks,
  cid: CID,
  node: FileNode,
  range: Range = { start: 0, end: node.size },
  options: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array> {
  const left = new AbortController();
  const signal = options.signal ? AbortSignal.any([left.signal, options.signal]) : left.signal;
  // A stack whose top is the next part in file order, so that a node's children replace it in place.
  const pending: Pending[] = [
    { cid, start: 0, end: node.size, depth: 0, node: Promise.resolve(node) },
  ];
  /** How many of the pending parts have been asked for. */
  let asked = 1;
  /** The byte up to which it was told what comes. */
  let told = range.start;
  try {
    for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
      giveBack(part);
      const current = await ask(part);
      asked--;
      signal.throwIfAborted();
      if (current.kind !== "file") throw broken(part.cid, "is a part of a file but not a file");
      if (current.size !== part.end - part.start) {
        throw broken(part.cid, "has another size than its parent says");
      }
      if (part.depth > MAX_DEPTH) throw broken(part.cid, "lies too deep in its file");
      pending.push(...children(part, current, range).reverse());
      askAhead();
      const data = cut(current.data, part.start, range);
      if (data.byteLength > 0) yield data;
    }
  } finally {
    left.abort();
    pending.forEach(giveBack);
  }

  function askAhead(): void {
    const horizon = (pending.at(-1)?.start ?? 0) + AHEAD_BYTES;
    for (let i = pending.length - 1; i >= 0 && asked < AHEAD; i--) {
      const part = pending[i]!;
      if (part.start >= horizon) break;
      if (part.node !== undefined) continue;
      const bytes = Math.min(part.end - part.start, MAX_BLOCK_BYTES);
      // The next one is asked for in any case: it is what the reader waits for.
      if (i < pending.length - 1 && allAhead + bytes > ALL_AHEAD_BYTES) break;
      part.ahead = bytes;
      allAhead += bytes;
      void ask(part);
    }
  }

  function giveBack(part: Pending): void {
    allAhead -= part.ahead ?? 0;
    part.ahead = 0;
  }

  function ask(part: Pending): Promise<UnixNode> {
    if (part.node === undefined) {
      asked++;
      part.node = blocks.get(part.cid, { signal, upcoming })
        .then((block) => decodeNode(part.cid, block));
      // Awaited when its turn comes; until then a failure is nobody's, and must not end the process.
      part.node.catch(() => undefined);
    }
    return part.node;
  }

  function upcoming(): CID[] {
    const horizon = (pending.at(-1)?.start ?? told) + UPCOMING_BYTES;
    const coming: CID[] = [];
    for (let i = pending.length - 1; i >= 0 && pending[i]!.start < horizon; i--) {
      if (pending[i]!.start >= told) coming.push(pending[i]!.cid);
    }
    told = Math.max(told, horizon);
    return coming;
  }
}

/** The parts of a node that hold bytes of the range. */
function children(parent: Pending, node: FileNode, range: Range): Pending[] {
  const found: Pending[] = [];
  let start = parent.start + node.data.byteLength;
  for (const { cid, size } of node.parts) {
    const end = start + size;
    if (Math.max(start, range.start) < Math.min(end, range.end)) {
      found.push({ cid, start, end, depth: parent.depth + 1 });
    }
    start = end;
  }
  return found;
}

function cut(data: Uint8Array, offset: number, range: Range): Uint8Array {
  const from = Math.max(0, range.start - offset);
  const to = Math.min(data.byteLength, range.end - offset);
  return from < to ? data.subarray(from, to) : new Uint8Array();
}
