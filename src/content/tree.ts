/**
 * Directories into blocks: flat ones, and those sharded by the hash of their names (HAMT) that are too large for one block.
 * The importer's own tree builder counts subfolders as nothing when it decides which of the two a directory is, and takes a
 * backslash for an escape; so only files are left to it.
 * Source: https://specs.ipfs.tech/unixfs/
 */
import { code as DAG_PB, encode, prepare } from "@ipld/dag-pb";
import { murmur3128 } from "@multiformats/murmur3";
import type { Blockstore } from "interface-blockstore";
import { UnixFS } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError } from "../errors.ts";
import type { Link } from "./unixfs.ts";

/** Largest block of a flat directory, in bytes (profile unixfs-v1-2025). */
const FLAT_BYTES = 256 * 1024;

/** Children of one shard: a byte of the hash picks among them (profile unixfs-v1-2025). */
const FANOUT = 256;

/** UnixFS uses the first half of the 128-bit hash, and names it by this multicodec. */
const HASH_BYTES = 8, MURMUR3_X64_64 = 0x22n;

export type Store = Pick<Blockstore, "put">;

/** A stored DAG; `size` is that of all its blocks in bytes (Tsize). */
export type Stored = Omit<Link, "name">;

type Hashed = { link: Link; hash: Uint8Array };

/** Stores one directory whose children are stored already. */
export async function storeDirectory(store: Store, links: Link[]): Promise<Stored> {
  const flat = encodeNode(new UnixFS({ type: "directory" }), links);
  if (flat.byteLength <= FLAT_BYTES) return save(store, flat, links);
  const utf8 = new TextEncoder();
  const hashed = await Promise.all(
    links.map(async (link) => ({ link, hash: await murmur3128.encode(utf8.encode(link.name)) })),
  );
  return storeShard(store, hashed, 0);
}

async function storeShard(store: Store, children: Hashed[], depth: number): Promise<Stored> {
  if (depth === HASH_BYTES) {
    throw new NethoodError(
      "BAD_SITE",
      `The names ${children.map(({ link }) => link.name).join(" and ")} have the same hash.`,
      { hint: "Rename one of them." },
    );
  }
  const links: Link[] = [];
  const taken = new Uint8Array(FANOUT / 8);
  for (const [slot, inside] of Map.groupBy(children, ({ hash }) => hash[depth]!)) {
    // The bit field is one big-endian number: slot 0 is the lowest bit of the last byte.
    taken[taken.length - 1 - (slot >> 3)]! |= 1 << (slot & 7);
    const prefix = slot.toString(16).toUpperCase().padStart(2, "0");
    const [{ link }] = inside as [Hashed];
    links.push(
      inside.length === 1
        ? { ...link, name: prefix + link.name }
        : { ...await storeShard(store, inside, depth + 1), name: prefix },
    );
  }
  const meta = new UnixFS({
    type: "hamt-sharded-directory",
    data: taken.subarray(taken.findIndex((byte) => byte !== 0)),
    fanout: BigInt(FANOUT),
    hashType: MURMUR3_X64_64,
  });
  return save(store, encodeNode(meta, links), links);
}

function encodeNode(meta: UnixFS, links: Link[]): Uint8Array {
  const Links = links.map(({ name, cid, size }) => ({ Name: name, Hash: cid, Tsize: size }));
  // `prepare` sorts the links by the bytes of their names.
  return encode(prepare({ Data: meta.marshal(), Links }));
}

async function save(store: Store, block: Uint8Array, links: Link[]): Promise<Stored> {
  const cid = CID.createV1(DAG_PB, await sha256.digest(block));
  await store.put(cid, block);
  return { cid, size: links.reduce((sum, { size }) => sum + size, block.byteLength) };
}
