/**
 * UnixFS as a TAR file. Whoever unpacks it trusts it with a folder: no name and no symbolic link in it leads out of that one,
 * whatever the blocks say.
 */
import { pack, type TarImportCandidate } from "it-tar";
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { type DirectoryEntry, type Entry, open } from "./read.ts";
import { broken, type Link } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };

/** Names of a directory that are checked before its first byte is sent, so that a bad one becomes an honest error. */
const CHECKED = 1_000;

/** Longest path, in bytes: what systems allow. */
const MAX_PATH = 4096;

/** What the twelve octal digits of a header can say, in bytes; more goes into an extended header. */
const MAX_SIZE = 8 * 1024 ** 3 - 1;

/** Longest target of a symbolic link in a plain header, in bytes. */
const MAX_TARGET = 100;

/** UnixFS rarely knows a time; the same content is always the same file. */
const MTIME = new Date(0);

/** @throws {NethoodError} BAD_BLOCK for names that lead out of the folder, and as open, also in the middle */
export async function* packTar(
  blocks: Blocks,
  entry: Entry,
  options: Options = {},
): AsyncGenerator<Uint8Array> {
  yield* pack()(members(blocks, entry, options));
}

/** What is in the TAR file, below a folder that is named by its CID: safe to be written to a disk. @throws as packTar */
export function members(
  blocks: Blocks,
  entry: Entry,
  options: Options = {},
): AsyncGenerator<TarImportCandidate> {
  return entries(blocks, entry, [String(entry.cid)], new Set(), options);
}

/** @param symlinks the paths at which there are symbolic links: nothing may lie behind one, or in its place */
async function* entries(
  blocks: Blocks,
  entry: Entry,
  path: string[],
  symlinks: Set<string>,
  options: Options,
): AsyncGenerator<TarImportCandidate> {
  const { cid } = entry;
  if (path.some((_, depth) => symlinks.has(place(path.slice(0, depth + 1))))) {
    throw broken(cid, "lies where its folder has a symbolic link");
  }
  const name = path.join("/");
  if (new TextEncoder().encode(name).byteLength > MAX_PATH) {
    throw broken(cid, "has too long a path");
  }
  switch (entry.kind) {
    case "directory":
      return yield* folder(blocks, entry, path, symlinks, options);
    case "symlink":
      symlinks.add(place(path));
      return yield symlink(cid, path, entry.target);
    case "document":
      return yield { header: { name, mtime: MTIME, type: "file" }, body: entry.block };
    case "file": {
      const { size } = entry;
      // The first bytes are awaited, so that what nobody has is known before its header is sent.
      const body = await primed(entry.bytes(undefined, options));
      const pax = size > MAX_SIZE ? { pax: { size: String(size) } } : {};
      return yield { header: { name, size, mtime: MTIME, type: "file", ...pax }, body };
    }
  }
}

async function* folder(
  blocks: Blocks,
  entry: DirectoryEntry,
  path: string[],
  symlinks: Set<string>,
  options: Options,
): AsyncGenerator<TarImportCandidate> {
  const links = entry.entries(options);
  const checked: { link: Link; path: string[] }[] = [];
  for (let n = 0; n < CHECKED; n++) {
    const { value: link } = await links.next();
    if (link === undefined) break;
    checked.push({ link, path: childPath(entry.cid, path, link.name) });
  }
  yield { header: { name: path.join("/"), mtime: MTIME, type: "directory" } };
  for (const { link, path } of checked) {
    yield* entries(blocks, await open(blocks, link.cid, [], options), path, symlinks, options);
  }
  for await (const link of links) {
    const below = childPath(entry.cid, path, link.name);
    yield* entries(blocks, await open(blocks, link.cid, [], options), below, symlinks, options);
  }
}

/** Where a child goes. A name may be a path of its own, as long as it stays below the root (IPIP-0288). */
function childPath(cid: CID, path: string[], name: string): string[] {
  const below = [...path];
  for (const part of name.split("/")) {
    if (part === "..") below.pop();
    else if (part !== ".") below.push(part);
    const odd = part === "" || /[\\\0]/.test(part) || !part.isWellFormed();
    if (odd || below.length === 0) {
      throw broken(cid, `has an entry whose name is no safe file name (${JSON.stringify(name)})`);
    }
  }
  if (below.length < 2) {
    throw broken(cid, `has an entry in place of its root (${JSON.stringify(name)})`);
  }
  return below;
}

/**
 * A symbolic link that stays below the root: a target climbs only at its beginning, and no higher than the root, since behind
 * another link `..` is not what it seems.
 */
function symlink(cid: CID, path: string[], target: string): TarImportCandidate {
  const parts = target.split("/");
  const climbs = parts.findIndex((part) => part !== "..");
  const up = climbs === -1 ? parts.length : climbs;
  const inside = up <= Math.max(0, path.length - 2) && !parts.slice(up).includes("..") &&
    !target.startsWith("/") && !/[\\\0]/.test(target) && target !== "";
  if (!inside) throw broken(cid, "is a symbolic link that leads out of its folder");
  const header = { name: path.join("/"), mtime: MTIME, type: "symlink" } as const;
  const long = new TextEncoder().encode(target).byteLength > MAX_TARGET;
  return {
    header: long
      ? { ...header, linkname: "", pax: { linkpath: target } }
      : { ...header, linkname: target },
  };
}

/** Two spellings of one place, on disks that do not tell capitals or composed letters apart. */
function place(path: string[]): string {
  return path.join("/").normalize("NFC").toLowerCase();
}

/** The same stream, of which the first piece is here. */
async function primed(source: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await source.next();
  return (async function* () {
    if (!first.done) yield first.value;
    yield* source;
  })();
}
