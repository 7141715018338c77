/**
 * Files that were stored before, so that they are not read again: one whose size, times and inode are what they were then, and
 * whose blocks are all here. Directories, too: one whose links are what they were, and whose block is here.
 *
 * One that had changed just before it was seen ({@link RACY_MS}) is read again the next time, whatever it says of itself.
 */
import { createHash } from "node:crypto";
import type { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import { type DiskBlocks, keyOf } from "../store/blocks.ts";
import type { FileRecords } from "../store/files.ts";
import { type FolderItem, RACY_MS } from "./folder.ts";
import type { Stored } from "./tree.ts";
import { decodeNode, type Link } from "./unixfs.ts";

export interface Known {
  /** Whether the file is as it was, as far as the disk tells. */
  isSame(item: FolderItem): boolean;
  /** What a file that is the same is stored as, if all of it is here. Nearly all are told without a wait. */
  find(item: FolderItem): Stored | undefined | Promise<Stored | undefined>;
  /** @param seen when the folder was scanned, in milliseconds since 1970 */
  remember(item: FolderItem, stored: Stored, seen: number): void;
  /** What a directory with these links is stored as, if it was and is here; one of several blocks is not looked for. */
  findDirectory(path: string, links: Link[]): Stored | undefined;
  rememberDirectory(path: string, links: Link[], stored: Stored): void;
  /** Forgets the files and directories that are not among these. */
  forgetOthers(items: readonly FolderItem[]): void;
}

/**
 * @param site whose files they are
 * @param how how they are stored: with another value all of them are read again
 */
export function knownFiles(
  files: FileRecords & { directories: FileRecords },
  store: Pick<DiskBlocks, "read" | "sizeOf">,
  site: string,
  how: string,
): Known {
  const known = files.of(site), directories = files.directories.of(site);
  const stateOf = (item: FolderItem) => `${how} ${item.state}`;

  return {
    isSame: (item) => known.get(item.path)?.state === stateOf(item),
    find(item) {
      const { cid, size } = known.get(item.path)!;
      const whole = { cid, size };
      if (cid.code === RAW) return store.sizeOf(cid) === item.size ? whole : undefined;
      return isHere(cid, item.size).then((here) => here ? whole : undefined);
    },
    remember(item, { cid, size }, seen) {
      const state = item.changed + RACY_MS <= seen ? stateOf(item) : "";
      const before = known.get(item.path);
      if (before?.state === state && before.cid.equals(cid)) return;
      files.set(site, item.path, { state, cid, size });
    },
    findDirectory(path, links) {
      const record = directories.get(path);
      if (record?.state !== `${how} ${linksState(links)}`) return undefined;
      const { cid, size } = record;
      const own = links.reduce((left, { size }) => left - size, size);
      return store.sizeOf(cid) === own ? { cid, size } : undefined;
    },
    rememberDirectory(path, links, { cid, size }) {
      files.directories.set(site, path, { state: `${how} ${linksState(links)}`, cid, size });
    },
    forgetOthers(items) {
      const now = { file: new Set<string>(), directory: new Set([""]) };
      for (const { kind, path } of items) now[kind].add(path);
      forget(files, known.keys(), now.file);
      forget(files.directories, directories.keys(), now.directory);
    },
  };

  function forget(records: FileRecords, before: Iterable<string>, now: Set<string>): void {
    const gone = [...before].filter((path) => !now.has(path));
    if (gone.length > 0) records.remove(site, gone);
  }

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

/** What a directory is: a name ends with a zero, a multihash tells its own length. */
function linksState(links: Link[]): string {
  const all = links
    .toSorted((a, b) => a.name < b.name ? -1 : 1)
    .map(({ name, cid, size }) => `${name}\0${size} ${cid.code} ${keyOf(cid)}`);
  return createHash("sha256").update(all.join("")).digest("hex");
}
