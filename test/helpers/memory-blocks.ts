/**
 * Blocks in memory, as the readers of content see them: what was asked for is noted, and what a block says may be a lie,
 * which no importer can be made to write.
 */
import { MemoryBlockstore } from "blockstore-core/memory";
import { Node } from "ipfs-unixfs";
import { importer, type ImporterOptions } from "ipfs-unixfs-importer";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import type { Blocks } from "../../src/content/blocks.ts";
import { NethoodError } from "../../src/errors.ts";

export const RAW = 0x55;
export const DAG_PB = 0x70;
export const DAG_CBOR = 0x71;

/** One UnixFS node in the words of its wire format; `links` are its children. */
export interface Wire extends Omit<Partial<NonNullable<Node["data"]>>, "type"> {
  type?: "RAW" | "FILE" | "DIRECTORY" | "HAMT_SHARD" | "SYMLINK" | "METADATA";
  links?: WireLink[];
}

export interface WireLink {
  cid: CID;
  name?: string;
  tSize?: bigint;
}

export interface MemoryBlocks extends Blocks {
  /** Where importers write to, and other implementations read from. */
  readonly store: MemoryBlockstore;
  /** The CIDs of every `get`, in order. */
  readonly asked: string[];
  /** Signals of the gets that have not ended. */
  readonly underway: Set<AbortSignal>;
  /** While set, gets of other blocks than these wait until they are aborted. */
  only: CID[] | undefined;
  /** Stores a block under its own CID. */
  put(codec: number, bytes: Uint8Array): Promise<CID>;
  /** Stores a UnixFS node as dag-pb. */
  node(wire: Wire): Promise<CID>;
  /** Gives out a node under a CID that is not its own: the only way to close a circle. */
  forge(cid: CID, wire: Wire): Promise<void>;
  /** Stores files as a tree with the CID profile of the house, unless told otherwise; the root's CID. */
  add(files: { path: string; content: Uint8Array }[], options?: ImporterOptions): Promise<CID>;
}

export function createMemoryBlocks(): MemoryBlocks {
  const store = new MemoryBlockstore();
  const asked: string[] = [];
  const underway = new Set<AbortSignal>();

  const blocks: MemoryBlocks = {
    store,
    asked,
    underway,
    only: undefined,
    async get(cid, { signal = new AbortController().signal } = {}) {
      asked.push(cid.toString());
      signal.throwIfAborted();
      underway.add(signal);
      try {
        if (blocks.only && !blocks.only.some((open) => open.equals(cid))) await abortion(signal);
        for await (const block of store.get(cid)) return block;
        throw new Error(`no bytes for ${cid}`);
      } catch (cause) {
        signal.throwIfAborted();
        throw new NethoodError("NO_PROVIDERS", `Nobody has ${cid}.`, { cause });
      } finally {
        underway.delete(signal);
      }
    },
    async put(codec, bytes) {
      const cid = CID.createV1(codec, await sha256.digest(bytes));
      await store.put(cid, bytes);
      return cid;
    },
    node: (wire) => blocks.put(DAG_PB, encode(wire)),
    forge: async (cid, wire) => void await store.put(cid, encode(wire)),
    async add(files, options) {
      let root: CID | undefined;
      const settings = { profile: "unixfs-v1-2025", wrapWithDirectory: true, ...options } as const;
      for await (const { cid } of importer(files, store, settings)) root = cid;
      return root!;
    },
  };
  return blocks;
}

function encode({ links = [], ...data }: Wire): Uint8Array {
  return Node.encode({
    data: { blockSizes: [], ...data as Node["data"] },
    links: links.map(({ cid, ...link }) => ({ hash: new Uint8Array(cid.bytes), ...link })),
  });
}

function abortion(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
