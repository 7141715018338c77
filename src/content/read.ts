/** From a root and a path to what is there: a file whose bytes can be read, or a directory that can be listed. */
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import type { Blocks } from "./blocks.ts";
import { find, list } from "./directory.ts";
import { type Range, readFile } from "./file.ts";
import { decodeNode, type Link } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };

interface Found {
  cid: CID;
  /** The blocks between the root and this entry: each directory, and the shards that led to the next. */
  above: CID[];
  /** The CID of the root and of each path segment below it (the gateway's X-Ipfs-Roots). */
  roots: CID[];
}

export interface FileEntry extends Found {
  kind: "file";
  /** Bytes. */
  size: number;
  bytes(range?: Range, options?: Options): AsyncGenerator<Uint8Array>;
}

export interface DirectoryEntry extends Found {
  kind: "directory";
  entries(options?: Options): AsyncGenerator<Link>;
  /** The child of that name, or undefined. */
  child(name: string, options?: Options): Promise<Entry | undefined>;
}

export interface SymlinkEntry extends Found {
  kind: "symlink";
  target: string;
}

export type Entry = FileEntry | DirectoryEntry | SymlinkEntry;

/**
 * Walks a path below a root.
 *
 * @param path decoded segments, without empty ones
 * @throws {NethoodError} NOT_FOUND, BAD_BLOCK, UNSUPPORTED, NO_PROVIDERS
 */
export async function open(
  blocks: Blocks,
  root: CID,
  path: readonly string[] = [],
  options: Options = {},
): Promise<Entry> {
  let entry = await load(blocks, { cid: root, above: [], roots: [root] }, options);
  for (const [depth, name] of path.entries()) {
    const next = entry.kind === "directory" ? await entry.child(name, options) : undefined;
    if (next === undefined) {
      const above = "/" + path.slice(0, depth).join("/");
      const why = entry.kind === "directory"
        ? `has nothing called "${name}"`
        : `is a ${entry.kind === "file" ? "file" : "symbolic link"}, not a folder`;
      throw new NethoodError("NOT_FOUND", `There is no /${path.join("/")} here: ${above} ${why}.`, {
        hint: "Check the spelling, capitals included, or open the folder above to see what it has.",
      });
    }
    entry = next;
  }
  return entry;
}

async function load(blocks: Blocks, found: Found, options: Options): Promise<Entry> {
  const { cid, above, roots } = found;
  const node = decodeNode(cid, await blocks.get(cid, options));
  switch (node.kind) {
    case "file":
      return {
        ...found,
        kind: "file",
        size: node.size,
        bytes: (range, own) => readFile(blocks, cid, node, range, own),
      };
    case "symlink":
      return { ...found, kind: "symlink", target: node.target };
    default:
      return {
        ...found,
        kind: "directory",
        entries: (own) => list(blocks, node, own),
        child: async (name, own = {}) => {
          const hit = await find(blocks, node, name, own);
          if (hit === undefined) return undefined;
          const { link, shards } = hit;
          return load(blocks, {
            cid: link.cid,
            above: [...above, cid, ...shards],
            roots: [...roots, link.cid],
          }, own);
        },
      };
  }
}
