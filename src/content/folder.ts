/**
 * What a folder publishes: a list of its files, decided before a byte is read.
 *
 * - Hidden files (a leading dot) are left out, except `.well-known` (RFC 8615), unless asked for.
 * - Symbolic links are followed, as a web server does; one that leads nowhere is left out and reported, one that leads back into
 *   a folder above itself is an error.
 * - Empty files and empty folders are published. Sockets, pipes and devices are left out and reported.
 * - Names are published byte for byte as the disk has them (no Unicode normalisation); one that is not UTF-8 is an error.
 */
import { readdir, realpath, stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join, sep } from "node:path";
import { NethoodError, systemCode } from "../errors.ts";

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
}

export interface Folder {
  items: FolderItem[];
  /** Bytes of all files. */
  bytes: number;
  /** What was left out, and why. */
  skipped: { path: string; why: string }[];
  /** Links that lead out of the folder and were followed: a publisher should know. */
  outside: string[];
}

/** @throws {NethoodError} BAD_SITE */
export async function scanFolder(
  dir: string,
  { hidden = false, signal }: FolderOptions = {},
): Promise<Folder> {
  const folder: Folder = { items: [], bytes: 0, skipped: [], outside: [] };
  const top = await realpath(dir).catch((cause) => {
    throw new NethoodError("BAD_SITE", `There is no folder ${dir}.`, {
      cause,
      hint: "Name the folder that holds the site.",
    });
  });
  if (!(await stat(top)).isDirectory()) {
    throw new NethoodError("BAD_SITE", `${dir} is a file, not a folder.`, {
      hint: "Name the folder that holds the site.",
    });
  }
  await visit("", top, [top]);
  return folder;

  /** @param above the real folders that enclose this one, to notice a link that leads back into them */
  async function visit(path: string, real: string, above: string[]): Promise<void> {
    const names = (await readdir(real, { withFileTypes: true })).map(({ name }) => name);
    // Sorted, so that progress and errors come in the same order on every disk.
    for (const name of names.sort()) {
      signal?.throwIfAborted();
      if (name.startsWith(".") && name !== ".well-known" && !hidden) continue;
      const item = path === "" ? name : `${path}/${name}`;
      if (name.includes("\uFFFD")) {
        throw new NethoodError("BAD_SITE", `The name of ${item} is not valid UTF-8.`, {
          hint: "Rename the file.",
        });
      }
      const target = await follow(join(real, name), item);
      if (target === undefined) continue;
      const { file, info } = target;
      if (info.isFile()) {
        folder.items.push({ path: item, file, kind: "file", size: info.size });
        folder.bytes += info.size;
      } else if (info.isDirectory()) {
        if (above.includes(file)) {
          throw new NethoodError(
            "BAD_SITE",
            `The link ${item} leads back to a folder that contains it.`,
            {
              hint: "Remove the link: a site cannot contain itself.",
            },
          );
        }
        folder.items.push({ path: item, file, kind: "directory", size: 0 });
        await visit(item, file, [...above, file]);
      } else folder.skipped.push({ path: item, why: "it is a socket, a pipe or a device" });
    }
  }

  async function follow(
    file: string,
    item: string,
  ): Promise<{ file: string; info: Stats } | undefined> {
    try {
      const info = await stat(file);
      const real = await realpath(file);
      if (real !== file && !real.startsWith(top + sep)) folder.outside.push(item);
      return { file: real, info };
    } catch (cause) {
      const code = systemCode(cause);
      if (code !== "ENOENT" && code !== "ELOOP" && code !== "EACCES") throw cause;
      folder.skipped.push({
        path: item,
        why: code === "EACCES" ? "it may not be read" : "it is a link that leads nowhere",
      });
      return undefined;
    }
  }
}
