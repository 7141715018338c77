/**
 * One UnixFS node, decoded: what a block says, without the wire format.
 * Source: https://specs.ipfs.tech/unixfs/
 */
import { code as DAG_PB } from "@ipld/dag-pb";
import { type Link as WireLink, Node } from "ipfs-unixfs";
import { CID } from "multiformats/cid";
import { code as RAW } from "multiformats/codecs/raw";
import { NethoodError } from "../errors.ts";
import { MemoryTier } from "../store/memory.ts";

/** A named child of a directory; `size` is that of the whole DAG below it in bytes, as its parent claims (Tsize). */
export interface Link {
  name: string;
  cid: CID;
  size: number;
}

/** A part of a file, with the number of content bytes that it must hold. */
export interface Part {
  cid: CID;
  size: number;
}

export type UnixNode =
  | { kind: "file"; size: number; data: Uint8Array; parts: Part[] }
  | { kind: "directory"; links: Link[] }
  | { kind: "shard"; links: Link[]; bits: number }
  | { kind: "symlink"; target: string };

/** Largest HAMT fan-out that is followed (specification: 1024; always a power of two and a multiple of eight). */
const MAX_FANOUT = 1024;

/** The one hash function of HAMTs, murmur3-x64-64. */
const MURMUR3 = 0x22n;

/** Memory for decoded nodes, in bytes: the directories that pages are looked up in again and again. */
const DECODED_BYTES = 32 * 1024 * 1024;

/** What a decoded node takes, about, as a multiple of its block: a name, a CID and two objects around them for each link. */
const EXPANSION = 8;

/** Kept with its block, which is the same object for as long as the store has it in memory: no other bytes are taken for it. */
const decoded = new MemoryTier<{ block: Uint8Array; node: UnixNode }>(
  DECODED_BYTES,
  ({ block }) => block.byteLength * EXPANSION,
);

/**
 * Decodes a node, or finds it decoded: what is returned is shared, and not to be changed.
 *
 * @throws {NethoodError} UNSUPPORTED for a codec that is not UnixFS, BAD_BLOCK for bytes that break the specification
 */
export function decodeNode(cid: CID, block: Uint8Array): UnixNode {
  if (cid.code === RAW) return { kind: "file", size: block.byteLength, data: block, parts: [] };
  if (cid.code !== DAG_PB) {
    throw new NethoodError(
      "UNSUPPORTED",
      `The block ${cid} is not a file or folder (codec 0x${cid.code.toString(16)}).`,
      { hint: "Only UnixFS content (dag-pb and raw blocks) can be opened as a page." },
    );
  }
  const key = cid.toString();
  const held = decoded.get(key);
  if (held?.block === block) return held.node;
  const node = decodeDagPb(cid, block);
  decoded.set(key, { block, node });
  return node;
}

function decodeDagPb(cid: CID, block: Uint8Array): UnixNode {
  const { data: meta, links } = decodeWire(cid, block);
  switch (meta?.type) {
    case "RAW":
    case "FILE":
      return file(cid, links, meta);
    case "DIRECTORY":
      return { kind: "directory", links: children(cid, links) };
    case "HAMT_SHARD":
      return { kind: "shard", links: children(cid, links), bits: hashBits(cid, meta) };
    case "SYMLINK":
      return { kind: "symlink", target: new TextDecoder().decode(meta.data) };
    default:
      throw broken(cid, "does not say what kind of file or folder it is");
  }
}

/** An error about one block that breaks the specification. */
export function broken(cid: CID, how: string, cause?: unknown): NethoodError {
  return new NethoodError("BAD_BLOCK", `The block ${cid} ${how}.`, {
    cause,
    hint: "Whoever published it has to publish it again; another copy would be the same.",
  });
}

type Meta = NonNullable<Node["data"]>;

function decodeWire(cid: CID, block: Uint8Array): Node {
  try {
    return Node.decode(block);
  } catch (cause) {
    throw broken(cid, "cannot be decoded", cause);
  }
}

function file(cid: CID, links: WireLink[], meta: Meta): UnixNode {
  if (links.length !== meta.blockSizes.length) {
    throw broken(cid, "has more links than sizes, or fewer");
  }
  if (links.some(({ name }) => name)) throw broken(cid, "is a file whose parts have names");
  const data = meta.data ?? new Uint8Array();
  const parts = links.map((link, i) => ({
    cid: target(cid, link),
    size: Number(meta.blockSizes[i]),
  }));
  const size = parts.reduce((sum, part) => sum + part.size, data.byteLength);
  if (!Number.isSafeInteger(size)) throw broken(cid, "claims an impossible size");
  if (meta.fileSize !== undefined && Number(meta.fileSize) !== size) {
    throw broken(cid, "claims another size than its parts have");
  }
  return { kind: "file", size, data, parts };
}

/** Of two links of one name the first counts (specification: "Directory Path Resolution"). */
function children(cid: CID, links: WireLink[]): Link[] {
  const named = new Map<string, Link>();
  for (const link of links) {
    const { name, tSize = 0n } = link;
    if (name === undefined) throw broken(cid, "has a link without a name");
    if (!named.has(name)) named.set(name, new LazyLink(cid, link, name, Number(tSize)));
  }
  return [...named.values()];
}

/** Its CID is decoded when somebody wants it: of a shard's 256 links a reader follows one. */
class LazyLink implements Link {
  readonly name: string;
  readonly size: number;
  readonly #parent: CID;
  readonly #wire: WireLink;
  #cid: CID | undefined;

  constructor(parent: CID, wire: WireLink, name: string, size: number) {
    this.#parent = parent;
    this.#wire = wire;
    this.name = name;
    this.size = size;
  }

  /** @throws {NethoodError} BAD_BLOCK */
  get cid(): CID {
    return this.#cid ??= target(this.#parent, this.#wire);
  }
}

function hashBits(cid: CID, { fanOut = 0n, hashType }: Meta): number {
  const fanout = Number(fanOut);
  const bits = Math.log2(fanout);
  if (!Number.isInteger(bits) || fanout % 8 !== 0 || fanout > MAX_FANOUT) {
    throw broken(cid, `has a fan-out of ${fanout}`);
  }
  if (hashType !== MURMUR3) throw broken(cid, "sorts its names by an unknown hash function");
  return bits;
}

function target(cid: CID, { hash }: WireLink): CID {
  try {
    return CID.decode(hash ?? new Uint8Array());
  } catch (cause) {
    throw broken(cid, "has a link that is not a CID", cause);
  }
}
