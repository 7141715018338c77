/** From a root and a path to what is there: a file or document that can be read, or a directory that can be listed. */
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import { excerpt } from "../printable.ts";
import type { Blocks } from "./blocks.ts";
import { find, list } from "./directory.ts";
import { type DocumentFormat, documentFormat, follow } from "./document.ts";
import { type Range, readFile } from "./file.ts";
import { decodeNode, type Link } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };

/** The block at the end of a path, which may be anything. */
export interface Found {
  cid: CID;
  /** The blocks between the root and this one: each directory, the shards that led to the next, each document. */
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
  /** Where the child of that name is, or undefined. */
  find(name: string, options?: Options): Promise<Found | undefined>;
  /** The child of that name, or undefined. */
  child(name: string, options?: Options): Promise<Entry | undefined>;
}

export interface SymlinkEntry extends Found {
  kind: "symlink";
  target: string;
}

export interface DocumentEntry extends Found {
  kind: "document";
  format: DocumentFormat;
  block: Uint8Array;
}

export type Entry = FileEntry | DirectoryEntry | SymlinkEntry | DocumentEntry;

/**
 * Opens what is at a path below a root.
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
  return await load(blocks, await locate(blocks, root, path, options), options);
}

/** Walks a path without reading the block at its end. @throws {NethoodError} as {@link open} */
export async function locate(
  blocks: Blocks,
  root: CID,
  path: readonly string[] = [],
  options: Options = {},
): Promise<Found> {
  let found: Found = { cid: root, above: [], roots: [root] };
  for (let rest = path; rest.length > 0;) {
    const entry = await load(blocks, found, options);
    if (entry.kind === "document") {
      const next = follow(entry.cid, entry.block, rest);
      found = below(found, next.link);
      rest = next.rest;
      continue;
    }
    const [name, ...more] = rest as [string, ...string[]];
    const next = entry.kind === "directory" ? await entry.find(name, options) : undefined;
    if (next === undefined) {
      const above = excerpt(`/${path.slice(0, path.length - rest.length).join("/")}`);
      const why = entry.kind === "directory"
        ? `has nothing called "${excerpt(name)}"`
        : `is a ${entry.kind === "file" ? "file" : "symbolic link"}, not a folder`;
      const asked = excerpt(`/${path.join("/")}`);
      throw new NethoodError("NOT_FOUND", `There is no ${asked} here: ${above} ${why}.`, {
        hint: "Check the spelling, capitals included, or open the folder above to see what it has.",
      });
    }
    found = next;
    rest = more;
  }
  return found;
}

function below({ cid, above, roots }: Found, link: CID, shards: CID[] = []): Found {
  return { cid: link, above: [...above, cid, ...shards], roots: [...roots, link] };
}

async function load(blocks: Blocks, found: Found, options: Options): Promise<Entry> {
  const { cid } = found;
  const format = documentFormat(cid);
  const block = await blocks.get(cid, options);
  if (format !== undefined) return { ...found, kind: "document", format, block };
  const node = decodeNode(cid, block);
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
    default: {
      const findChild: DirectoryEntry["find"] = async (name, own = {}) => {
        const hit = await find(blocks, node, name, own);
        return hit && below(found, hit.link.cid, hit.shards);
      };
      return {
        ...found,
        kind: "directory",
        entries: (own) => list(blocks, node, own),
        find: findChild,
        async child(name, own = {}) {
          const next = await findChild(name, own);
          return next && await load(blocks, next, own);
        },
      };
    }
  }
}
