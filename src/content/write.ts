/** From files to blocks: UnixFS with the CID profile unixfs-v1-2025 (IPIP-499), so that every tool gives the same CID. */
import { open } from "node:fs/promises";
import type { Blockstore } from "interface-blockstore";
import { type FileCandidate, importer, type ImporterOptions } from "ipfs-unixfs-importer";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import { type Folder, type FolderOptions, scanFolder } from "./folder.ts";

/** A piece read from disk: the profile's chunk, so that the chunker cuts nothing. */
const PIECE_BYTES = 1024 * 1024;

/** Files read at once. Many small ones wait on the disk's latency; each holds at most one piece. */
const FILES_AT_ONCE = 16;

export type Store = Pick<Blockstore, "put">;

export interface AddOptions extends FolderOptions {
  /** Called after each file. */
  onProgress?: ((progress: AddProgress) => void) | undefined;
}

/** How far the adding of a folder has come. */
export interface AddProgress {
  type: "content:add:file";
  path: string;
  files: number;
  bytes: number;
  totalFiles: number;
  totalBytes: number;
}

export interface Added extends Omit<Folder, "items"> {
  cid: CID;
  files: number;
}

const PROFILE: ImporterOptions = {
  profile: "unixfs-v1-2025",
  fileImportConcurrency: FILES_AT_ONCE,
  blockWriteConcurrency: 4,
};

/**
 * Stores a folder as one tree.
 *
 * @throws {NethoodError} BAD_SITE for a folder that cannot be published or changes while it is read, DISK_FULL
 */
export async function addFolder(
  store: Store,
  dir: string,
  options: AddOptions = {},
): Promise<Added> {
  const { items, ...folder } = await scanFolder(dir, options);
  const totalFiles = items.filter(({ kind }) => kind === "file").length;
  const done = { files: 0, bytes: 0 };

  function* sources() {
    for (const { path, file, kind, size } of items) {
      if (kind === "directory") yield { path };
      else yield { path, content: read(file, path, size) };
    }
  }

  async function* read(file: string, path: string, size: number): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const piece of pieces(file, size)) {
      options.signal?.throwIfAborted();
      bytes += piece.byteLength;
      yield piece;
    }
    if (bytes !== size) {
      throw new NethoodError("BAD_SITE", `${path} changed while it was read.`, {
        hint: "Run the command again when the site is at rest.",
      });
    }
    done.files++;
    done.bytes += bytes;
    options.onProgress?.({
      type: "content:add:file",
      path,
      ...done,
      totalFiles,
      totalBytes: folder.bytes,
    });
  }

  let root: CID | undefined;
  for await (const { cid } of importer(sources(), store, { ...PROFILE, wrapWithDirectory: true })) {
    root = cid;
  }
  if (root === undefined) {
    throw new NethoodError("BAD_SITE", `${dir} is empty.`, {
      hint: "Put at least one file into it.",
    });
  }
  return { cid: root, files: totalFiles, ...folder };
}

/** Stores one file, or bytes of any origin. */
export async function addBytes(store: Store, content: FileCandidate["content"]): Promise<CID> {
  for await (const { cid } of importer([{ content }], store, PROFILE)) return cid;
  throw new Error("the importer gave no result");
}

async function* pieces(file: string, size: number): AsyncGenerator<Uint8Array> {
  const handle = await open(file);
  try {
    for (let at = 0;;) {
      // One byte more than is expected shows a file that grew.
      const piece = new Uint8Array(Math.min(PIECE_BYTES, Math.max(1, size - at)));
      const { bytesRead } = await handle.read(piece, 0, piece.byteLength, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      yield bytesRead === piece.byteLength ? piece : piece.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
