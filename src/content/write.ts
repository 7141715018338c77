/** From files to blocks: UnixFS with the CID profile unixfs-v1-2025 (IPIP-499), so that every tool gives the same CID. */
import { open } from "node:fs/promises";
import { type FileCandidate, importer, type ImporterOptions } from "ipfs-unixfs-importer";
import { fixedSize } from "ipfs-unixfs-importer/chunker";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import {
  type Folder,
  type FolderItem,
  type FolderOptions,
  folderState,
  RACY_MS,
  scanFolder,
  unreadable,
} from "./folder.ts";
import type { Known } from "./known.ts";
import { type Store, type Stored, storeDirectory } from "./tree.ts";
import type { Link } from "./unixfs.ts";

/** A piece read from disk: the profile's chunk, so that the chunker cuts nothing. */
const PIECE_BYTES = 1024 * 1024;

/** Files, or directories, stored at once. Many small ones wait on the disk's latency; each holds a few pieces at most. */
const AT_ONCE = 16;

export interface AddOptions extends FolderOptions {
  /**
   * Bytes of a file in one block, at most 1 MiB. Small ones spread faster in a crowd and cost a little more to keep. Default:
   * the profile's 1 MiB; with another value the CIDs are not those that other tools give.
   */
  chunk?: number | undefined;
  /**
   * Called before any of the folder is stored, with all of it that is not known to be as it was; what it throws ends the work.
   * Gives the paths of the files that it wants to see again the next time, even if they are as they were.
   */
  check?: ((items: readonly FolderItem[]) => Promise<Iterable<string>>) | undefined;
  /** Opens what is known of the files from earlier; those that are as they were are not read. Default: all are. */
  known?: ((how: string) => Known) | undefined;
  /** Reads every file anew, whatever is known. Default: false. */
  rehash?: boolean | undefined;
  /**
   * Looks at the folder again at the end: only one that was at rest all the while is stored. Default: false, for which each
   * file must be at rest while it is read.
   */
  steady?: boolean | undefined;
  /** Called after each piece of a file (at most 1 MiB), and at the end of each file. */
  onProgress?: ((progress: AddProgress) => void) | undefined;
}

/** How far the adding of a folder has come; at the last call the numbers equal their totals. */
export interface AddProgress {
  type: "content:add:file";
  /** The file that is being read, below the folder. */
  path: string;
  /** Files read to their end, or known from earlier. */
  files: number;
  /** Bytes read, or known from earlier. */
  bytes: number;
  totalFiles: number;
  totalBytes: number;
}

export interface Added extends Omit<Folder, "items"> {
  cid: CID;
  files: number;
  /** How many of the files, and of their bytes, were read: the others were known. */
  read: { files: number; bytes: number };
  /** What the folder was as far as the disk tells ({@link folderState}). */
  state: string;
  /** Whether it had changed so lately that it may change again and still be the same, as far as the disk tells. */
  racy: boolean;
}

const PROFILE: ImporterOptions = { profile: "unixfs-v1-2025", blockWriteConcurrency: 4 };

/**
 * Stores a folder as one tree. However it ends, it has stopped writing by then.
 *
 * @throws {NethoodError} BAD_OPTION for a chunk that is none, BAD_SITE for a folder that cannot be published, SITE_CHANGED for one that
 *   changes while it is read, DISK_FULL
 */
export async function addFolder(
  store: Store,
  dir: string,
  options: AddOptions = {},
): Promise<Added> {
  checkChunk(options.chunk);
  // Before the first file is looked at, so that no change after it is taken for an older one.
  const seen = Date.now();
  const { items, ...folder } = await scanFolder(dir, options);
  const known = options.known?.(`${PROFILE.profile}/${options.chunk ?? PIECE_BYTES}`);
  const same = new Set(options.rehash ? [] : items.filter((item) => known?.isSame(item)));
  const again = new Set(await options.check?.(items.filter((item) => !same.has(item))));
  const state = folderState({ items });
  const files = items.filter(({ kind }) => kind === "file");
  const directories = items.filter(({ kind }) => kind === "directory").map(({ path }) => path);
  const children = new Map<string, Link[]>(["", ...directories].map((path) => [path, []]));
  const done = { files: 0, bytes: 0 }, read = { files: 0, bytes: 0 };

  function attach(path: string, stored: Stored): void {
    children.get(parentOf(path))!.push({ ...stored, name: path.slice(path.lastIndexOf("/") + 1) });
  }

  function tell(path: string): void {
    const totals = { totalFiles: files.length, totalBytes: folder.bytes };
    options.onProgress?.({ type: "content:add:file", path, ...done, ...totals });
  }

  async function* readFile(item: FolderItem, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces(item, signal)) {
      done.bytes += piece.byteLength;
      read.bytes += piece.byteLength;
      tell(item.path);
      yield piece;
    }
    done.files++;
    read.files++;
    tell(item.path);
  }

  async function directoryOf(path: string): Promise<Stored> {
    const links = children.get(path)!;
    const found = options.rehash ? undefined : known?.findDirectory(path, links);
    if (found) return found;
    const stored = await storeDirectory(store, links);
    known?.rememberDirectory(path, links, stored);
    return stored;
  }

  await each(files, options.signal, async (item, signal) => {
    const found = same.has(item) ? known?.find(item) : undefined;
    let stored = found instanceof Promise ? await found : found;
    if (stored) {
      done.files++;
      done.bytes += item.size;
      tell(item.path);
    } else {
      stored = await storeFile(store, readFile(item, signal), options.chunk);
      if (!again.has(item.path)) known?.remember(item, stored, seen);
    }
    attach(item.path, stored);
  });
  // The deepest first: a directory needs the CIDs of what is in it.
  const levels = Map.groupBy(directories, depthOf);
  for (const depth of [...levels.keys()].sort((a, b) => b - a)) {
    await each(levels.get(depth)!, options.signal, async (path) => {
      attach(path, await directoryOf(path));
    });
  }
  const { cid } = await directoryOf("");
  if (options.steady && folderState(await scanFolder(dir, options)) !== state) {
    throw changed("The site");
  }
  known?.forgetOthers(items);
  const racy = folder.changed + RACY_MS > seen;
  return { cid, files: files.length, read, state, racy, ...folder };
}

/** Stores one file, or bytes of any origin. */
export async function addBytes(store: Store, content: FileCandidate["content"]): Promise<CID> {
  return (await storeFile(store, content)).cid;
}

async function storeFile(
  store: Store,
  content: FileCandidate["content"],
  chunk?: number,
): Promise<Stored> {
  const settings = chunk === undefined
    ? PROFILE
    : { ...PROFILE, chunker: fixedSize({ chunkSize: chunk }) };
  const writing = new Set<Promise<CID>>();
  const watched: Store = {
    async put(...args) {
      const write = Promise.resolve(store.put(...args));
      writing.add(write);
      return await write.finally(() => writing.delete(write));
    },
  };
  try {
    for await (const { cid, size } of importer([{ content }], watched, settings)) {
      return { cid, size: Number(size) };
    }
  } finally {
    // The importer leaves at the first failure, while blocks beside that one are still being written.
    await Promise.allSettled(writing);
  }
  throw new Error("the importer gave no result");
}

function checkChunk(chunk: number = PIECE_BYTES): void {
  if (Number.isInteger(chunk) && chunk > 0 && chunk <= PIECE_BYTES) return;
  throw new NethoodError("BAD_OPTION", `A block cannot hold ${chunk} bytes of a file.`, {
    hint: `Give bytes from 1 to ${PIECE_BYTES}, or leave it out for the profile's.`,
  });
}

/** Works on some at once; when one fails the others are stopped, waited for, and the first failure is thrown. */
async function each<T>(
  items: T[],
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const rest = items.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    try {
      for (const item of rest) {
        either.throwIfAborted();
        await work(item, either);
      }
    } catch (error) {
      failed.abort(error);
    }
  }));
  failed.signal.throwIfAborted();
}

/** A file's bytes, provided that it is and stays what it was when the folder was scanned. */
async function* pieces(
  { path, file, size, modified, inode }: FolderItem,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const fail = (cause: unknown) => {
    throw unreadable(path, cause);
  };
  const handle = await open(file).catch(fail);
  try {
    let at = 0;
    do {
      signal.throwIfAborted();
      // One byte more than is expected shows a file that grew.
      const piece = new Uint8Array(Math.min(PIECE_BYTES, size - at + 1));
      const { bytesRead } = await handle.read(piece, 0, piece.byteLength, at).catch(fail);
      if (bytesRead === 0) break;
      at += bytesRead;
      if (at <= size) yield piece.subarray(0, bytesRead);
    } while (at < size);
    const now = await handle.stat().catch(fail);
    const same = now.size === size && now.mtimeMs === modified && now.ino === inode;
    if (at !== size || !same) throw changed(path);
  } finally {
    await handle.close();
  }
}

function changed(what: string): NethoodError {
  return new NethoodError("SITE_CHANGED", `${what} changed while the site was read.`, {
    hint: "Run the command again when the site is at rest.",
  });
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function depthOf(path: string): number {
  return path.split("/").length;
}
