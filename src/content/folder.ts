/**
 * What a folder publishes: a list of its files, decided before a byte is read.
 *
 * - Hidden files (a leading dot) are left out, except `.well-known` (RFC 8615), unless asked for.
 * - Symbolic links are followed, as a web server does; one that leads nowhere is left out and reported, one that leads out of
 *   the folder is followed and reported, one that leads back into a folder above itself is an error.
 * - Empty files and empty folders are published; a site in which there is nothing at all is an error.
 * - Sockets, pipes and devices are left out and reported. A file or folder that may not be read is an error: a site with a
 *   hole would look whole to its publisher alone.
 * - Names are published byte for byte as the disk has them (no Unicode normalisation); one that is not UTF-8 is an error.
 */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs";
import { sep } from "node:path";
import { NethoodError, systemCode } from "../errors.ts";
import { createSlices } from "../pause.ts";

export interface FolderOptions {
  /** Publish files whose name begins with a dot. Default: false. */
  hidden?: boolean;
  signal?: AbortSignal | undefined;
}

export interface FolderItem {
  /** Path below the folder, with slashes; never empty. */
  path: string;
  /** Where it is on this disk. */
  file: string;
  kind: "file" | "directory";
  /** Bytes; 0 for a directory. */
  size: number;
  /** When its content last changed, in milliseconds since 1970: what the file says of itself, and any program may set. */
  modified: number;
  /** When the system last changed anything of it, in milliseconds since 1970; no program can set it. */
  changed: number;
  /** Which file it is on its disk. Deno gives times in milliseconds, and the last of them in seconds. */
  inode: number;
  /**
   * All of it that the disk tells of a file, which is as it was as long as this is, unless it had changed just before
   * ({@link RACY_MS}); empty for a directory.
   */
  state: string;
}

export interface Folder {
  /** Sorted by path, so that they come in the same order from every disk. */
  items: FolderItem[];
  /** Bytes of all files. */
  bytes: number;
  /** What was left out, and why. */
  skipped: { path: string; why: string }[];
  /** Links that lead out of the folder and were followed: a publisher should know. */
  outside: string[];
  /** The real folders that links lead to, wherever they are: a change there is a change of the site. */
  linked: string[];
  /** When anything in it last changed, in milliseconds since 1970; removals count. Deno tells a part of it in whole seconds. */
  changed: number;
}

/** What a decoder leaves where a name was not UTF-8. A name may also really contain it. */
const REPLACEMENT = "\uFFFD";

/** @throws {NethoodError} BAD_SITE, SITE_CHANGED */
export async function scanFolder(
  dir: string,
  { hidden = false, signal }: FolderOptions = {},
): Promise<Folder> {
  const folder: Folder = { items: [], bytes: 0, skipped: [], outside: [], linked: [], changed: 0 };
  const { top, info } = topOf(dir);
  noteChange(info);
  const others = createSlices(signal);
  await visit("", top, [top]);
  if (folder.items.length === 0) {
    throw new NethoodError("BAD_SITE", `There is nothing to publish in ${dir}.`, {
      hint: "Put at least one file into it; hidden ones count only with --hidden.",
    });
  }
  folder.bytes = folder.items.reduce((sum, { size }) => sum + size, 0);
  folder.items.sort(byPath);
  folder.skipped.sort(byPath);
  folder.outside.sort();
  return folder;

  /** @param above the real folders that enclose this one, to notice a link that leads back into them */
  async function visit(path: string, real: string, above: string[]): Promise<void> {
    signal?.throwIfAborted();
    const names = namesIn(real, path || dir);
    const wanted = names.filter((name) =>
      hidden || name === ".well-known" || !name.startsWith(".")
    );
    const twice = names.length > new Set(names).size;
    const inside = real.endsWith(sep) ? real : real + sep;
    for (const name of wanted) {
      const item = path === "" ? name : `${path}/${name}`;
      // Two names that decode to the same one can only be names that lost something.
      if (twice && wanted.indexOf(name) !== wanted.lastIndexOf(name)) throw notUtf8(item);
      const turn = others();
      if (turn) await turn;
      const target = follow(inside + name, item);
      if (target === undefined) continue;
      const { file, info } = target;
      const { size, mtimeMs: modified, ctimeMs: changed, ino: inode } = info;
      const seen = { path: item, file, modified, changed, inode };
      noteChange(info);
      if (info.isFile()) {
        const state = `${size} ${modified} ${changed} ${inode}`;
        folder.items.push({ ...seen, kind: "file", size, state });
      } else if (info.isDirectory()) {
        if (above.includes(file)) {
          throw new NethoodError(
            "BAD_SITE",
            `The link ${item} leads back to a folder that contains it.`,
            { hint: "Remove the link: a site cannot contain itself." },
          );
        }
        folder.items.push({ ...seen, kind: "directory", size: 0, state: "" });
        if (file !== inside + name) folder.linked.push(file);
        await visit(item, file, [...above, file]);
      } else folder.skipped.push({ path: item, why: "it is a socket, a pipe or a device" });
    }
  }

  /** A folder's own times tell when something was last put into it or taken out. A time to come is somebody's invention. */
  function noteChange({ mtimeMs, ctimeMs }: Stats): void {
    const modified = mtimeMs <= Date.now() ? mtimeMs : 0;
    folder.changed = Math.max(folder.changed, modified, ctimeMs);
  }

  function namesIn(real: string, path: string): string[] {
    try {
      return readdirSync(real);
    } catch (cause) {
      throw unreadable(path, cause);
    }
  }

  function follow(file: string, item: string): { file: string; info: Stats } | undefined {
    let info: Stats;
    try {
      info = lstatSync(file);
    } catch (cause) {
      throw item.includes(REPLACEMENT) ? notUtf8(item, cause) : unreadable(item, cause);
    }
    if (!info.isSymbolicLink()) return { file, info };
    try {
      const real = realpathSync(file);
      if (real !== top && !real.startsWith(top + sep)) folder.outside.push(item);
      return { file: real, info: statSync(real) };
    } catch (cause) {
      if (!["ENOENT", "ENOTDIR", "ELOOP"].includes(systemCode(cause) ?? "")) {
        throw unreadable(item, cause);
      }
      folder.skipped.push({ path: item, why: "it is a link that leads nowhere" });
      return undefined;
    }
  }
}

/**
 * What has changed within this time before it was seen may change once more without showing, in milliseconds: within one tick of
 * its disk's clock. (Git's rule for "racy" entries: https://git-scm.com/docs/racy-git. The ticks of FAT are the longest, and Deno
 * tells the time of a change in seconds.)
 */
export const RACY_MS = 2_000;

/** What a whole folder is as far as the disk tells, in a few letters. */
export function folderState({ items }: Pick<Folder, "items">): string {
  const all = items.map(({ path, state }) => `${path}\0${state}\0`);
  return createHash("sha256").update(all.join("")).digest("hex");
}

/** Why something in a site cannot be read, as a sentence with a way out. */
export function unreadable(path: string, cause: unknown): unknown {
  const code = systemCode(cause);
  switch (code) {
    case undefined:
      return cause;
    case "ENOENT":
      return new NethoodError("SITE_CHANGED", `${path} vanished while the site was read.`, {
        cause,
        hint: "Run the command again when the site is at rest.",
      });
    case "EACCES":
    case "EPERM":
      return new NethoodError("BAD_SITE", `You may not read ${path}.`, {
        cause,
        hint: "Give yourself permission to read it, or move it out of the site.",
      });
    default:
      return new NethoodError("BAD_SITE", `${path} cannot be read (${code}).`, {
        cause,
        hint: "Check the disk it is on, or move it out of the site.",
      });
  }
}

function topOf(dir: string): { top: string; info: Stats } {
  const hint = "Name the folder that holds the site.";
  let info: Stats;
  let top: string;
  try {
    top = realpathSync(dir);
    info = statSync(top);
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) throw unreadable(dir, cause);
    throw new NethoodError("BAD_SITE", `There is no folder ${dir}.`, { cause, hint });
  }
  if (info.isDirectory()) return { top, info };
  throw new NethoodError("BAD_SITE", `${dir} is a file, not a folder.`, { hint });
}

function notUtf8(item: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_SITE", `The name of ${item} is not valid UTF-8.`, {
    cause,
    hint: "Rename it.",
  });
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}
