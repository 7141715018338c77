/**
 * Files that were stored before, so that they are not read again: one whose size, times and inode are what they were then, and
 * whose blocks are all here.
 *
 * One that had changed just before it was seen ({@link RACY_MS}) is read again the next time, whatever it says of itself.
 */
import type { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import type { DiskBlocks } from "../store/blocks.ts";
import type { FileRecords } from "../store/files.ts";
import { fileState, type FolderItem, RACY_MS } from "./folder.ts";
import type { Stored } from "./tree.ts";
import { decodeNode } from "./unixfs.ts";

export interface Known {
  /** What the file is stored as, if it is as it was and all of it is here. */
  find(item: FolderItem): Promise<Stored | undefined>;
  /** @param seen when the folder was scanned, in milliseconds since 1970 */
  remember(item: FolderItem, stored: Stored, seen: number): void;
  /** Forgets the files that are not among these. */
  forgetOthers(items: FolderItem[]): void;
}

/**
 * @param site whose files they are
 * @param how how they are stored: with another value all of them are read again
 */
export function knownFiles(
  files: FileRecords,
  store: Pick<DiskBlocks, "read" | "sizeOf">,
  site: string,
  how: string,
): Known {
  const known = files.of(site);
  const stateOf = (item: FolderItem) => `${how} ${fileState(item)}`;

  return {
    async find(item) {
      const record = known.get(item.path);
      if (record === undefined || record.state !== stateOf(item)) return undefined;
      const { cid, size } = record;
      return await isHere(cid, item.size) ? { cid, size } : undefined;
    },
    remember(item, { cid, size }, seen) {
      const state = item.changed + RACY_MS <= seen ? stateOf(item) : "";
      const before = known.get(item.path);
      if (before?.state === state && before.cid.equals(cid)) return;
      files.set(site, item.path, { state, cid, size });
    },
    forgetOthers(items) {
      const gone = new Set(known.keys());
      for (const { path } of items) gone.delete(path);
      if (gone.size > 0) files.remove(site, gone);
    },
  };

  /** @param size bytes of the file below this block */
  async function isHere(cid: CID, size: number): Promise<boolean> {
    const held = store.sizeOf(cid);
    if (cid.code === RAW) return held === size;
    const block = held === undefined ? undefined : await store.read(cid);
    if (block === undefined) return false;
    const node = decodeNode(cid, block);
    if (node.kind !== "file") return false;
    for (const part of node.parts) if (!await isHere(part.cid, part.size)) return false;
    return true;
  }
}
