/** What is new in a version of a site: two trees compared, of which only what differs is read. */
import { code as DAG_PB } from "@ipld/dag-pb";
import type { CID } from "multiformats/cid";
import type { Blocks } from "./blocks.ts";
import { list } from "./directory.ts";
import { decodeNode } from "./unixfs.ts";

type Options = { signal?: AbortSignal | undefined };

/** Files, by their paths below the root. */
export interface Changes {
  added: string[];
  changed: string[];
  removed: string[];
}

/** @throws {NethoodError} NO_PROVIDERS, BAD_BLOCK */
export async function changesBetween(
  blocks: Blocks,
  before: CID,
  after: CID,
  options: Options = {},
): Promise<Changes> {
  const changes: Changes = { added: [], changed: [], removed: [] };
  await compare(before, after, "");
  return changes;

  async function compare(before: CID, after: CID, path: string): Promise<void> {
    if (before.equals(after)) return;
    const [old, now] = [await members(before), await members(after)];
    if (old === undefined && now === undefined) return void changes.changed.push(path);
    // What is a file in one of them and a folder in the other
    if (old === undefined) changes.removed.push(path);
    if (now === undefined) changes.added.push(path);
    const names = new Set([...old?.keys() ?? [], ...now?.keys() ?? []]);
    for (const name of [...names].sort()) {
      const [was, is] = [old?.get(name), now?.get(name)];
      const below = path === "" ? name : `${path}/${name}`;
      if (was && is) await compare(was, is, below);
      else if (is) await collect(is, below, changes.added);
      else await collect(was!, below, changes.removed);
    }
  }

  async function collect(cid: CID, path: string, files: string[]): Promise<void> {
    const inside = await members(cid);
    if (inside === undefined) files.push(path);
    else for (const [name, cid] of inside) await collect(cid, `${path}/${name}`, files);
  }

  /** What is in a folder; undefined for a file. */
  async function members(cid: CID): Promise<Map<string, CID> | undefined> {
    if (cid.code !== DAG_PB) return undefined;
    const node = decodeNode(cid, await blocks.get(cid, options));
    if (node.kind !== "directory" && node.kind !== "shard") return undefined;
    const found = new Map<string, CID>();
    for await (const link of list(blocks, node, options)) found.set(link.name, link.cid);
    return found;
  }
}
