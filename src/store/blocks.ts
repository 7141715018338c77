/**
 * Blocks on disk, below a bounded memory tier.
 *
 * blockstore-fs keeps one file a block. Three things it does are done again here, because a node depends on them:
 * errors keep their cause (blockstore-fs turns an aborted read into "not found" and a full disk into a string), a block is
 * read in one piece, and what comes from disk is checked against its hash, so that a file cut short by a power failure
 * counts as missing and is fetched anew instead of being served.
 */
import { mkdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FsBlockstore } from "blockstore-fs";
import { NextToLast } from "blockstore-fs/sharding";
import type { Blockstore, Pair } from "interface-blockstore";
import { NotFoundError } from "interface-store";
import type { CID } from "multiformats/cid";
import { base32upper } from "multiformats/bases/base32";
import { sha256 } from "multiformats/hashes/sha2";
import { NethoodError, systemCode } from "../errors.ts";
import { MemoryTier } from "./memory.ts";

/** Default size of the memory tier, in bytes: a site's hot pages, on a machine that has other things to do. */
export const MEMORY_BYTES: number = 64 * 1024 * 1024;

/** Half-written files live here until they are renamed; whatever a killed process left is removed at the next start. */
const UNFINISHED = "unfinished";

type Bytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
type Abortable = { signal?: AbortSignal };

export class DiskBlocks extends FsBlockstore implements Blockstore {
  readonly #memory: MemoryTier;
  readonly #shards = new NextToLast();
  readonly #made = new Set<string>();
  #unfinished = 0;

  constructor(dir: string, options: { memory?: number } = {}) {
    super(dir);
    this.#memory = new MemoryTier(options.memory ?? MEMORY_BYTES);
  }

  override async open(): Promise<void> {
    await super.open();
    await rm(join(this.path, UNFINISHED), { recursive: true, force: true });
    await mkdir(join(this.path, UNFINISHED));
  }

  /** The block, from memory or disk; undefined where this store does not have it whole. */
  async read(cid: CID, options: Abortable = {}): Promise<Uint8Array | undefined> {
    options.signal?.throwIfAborted();
    const key = keyOf(cid);
    const held = this.#memory.get(key);
    if (held !== undefined) return held;
    const file = this.#file(cid).path;
    const block = await readFile(file).catch((error) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    });
    options.signal?.throwIfAborted();
    if (block === undefined) return undefined;
    // A plain view: Node's Buffer pools and overrides slice(), which decoders do not expect.
    const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
    if (!await matches(cid, bytes)) {
      await unlink(file);
      return undefined;
    }
    this.#memory.set(key, bytes);
    return bytes;
  }

  override async *get(cid: CID, options: Abortable = {}): AsyncGenerator<Uint8Array> {
    const block = await this.read(cid, options);
    if (block === undefined) throw new NotFoundError(`${cid} is not in this store`);
    yield block;
  }

  override async *getMany(
    source: Iterable<CID> | AsyncIterable<CID>,
    options: Abortable = {},
  ): AsyncGenerator<Pair> {
    for await (const cid of source) yield { cid, bytes: this.get(cid, options) };
  }

  override async put(cid: CID, value: Bytes, options: Abortable = {}): Promise<CID> {
    options.signal?.throwIfAborted();
    const bytes = value instanceof Uint8Array ? value : await concat(value);
    const { dir, path } = this.#file(cid);
    const unfinished = join(this.path, UNFINISHED, String(this.#unfinished++));
    try {
      await writeFile(unfinished, bytes);
      if (!this.#made.has(dir)) {
        await mkdir(dir, { recursive: true });
        this.#made.add(dir);
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw diskError(error, this.path);
    }
    return cid;
  }

  override async has(cid: CID, options: Abortable = {}): Promise<boolean> {
    return this.#memory.get(keyOf(cid)) !== undefined || await super.has(cid, options);
  }

  override async delete(cid: CID, options: Abortable = {}): Promise<void> {
    this.#memory.delete(keyOf(cid));
    await super.delete(cid, options);
  }

  #file(cid: CID): { dir: string; path: string } {
    const { dir, file } = this.#shards.encode(cid);
    return { dir: join(this.path, dir), path: join(this.path, dir, file) };
  }
}

/** What went wrong on this disk, as a sentence with a way out. */
export function diskError(error: unknown, dir: string): unknown {
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new NethoodError("DISK_FULL", `The disk that holds ${dir} is full.`, {
        cause: error,
        hint:
          "Free some space, or start with --dir on another disk; nothing that was stored is lost.",
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EEXIST":
    // What Node says of a new folder on a read-only disk.
    case "ENOENT":
      return new NethoodError("DIR_UNWRITABLE", `The folder ${dir} cannot be written.`, {
        cause: error,
        hint: "Give yourself write permission there, or choose another folder with --dir.",
      });
    default:
      return error;
  }
}

function keyOf(cid: CID): string {
  return base32upper.encode(cid.multihash.bytes);
}

/** Only SHA-256 is checked: it is what every profile and nearly every site uses, and the others arrive checked. */
async function matches(cid: CID, bytes: Uint8Array): Promise<boolean> {
  if (cid.multihash.code !== sha256.code) return true;
  const { digest } = await sha256.digest(bytes);
  return cid.multihash.digest.every((byte, i) => byte === digest[i]);
}

async function concat(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return all.length === 1
    ? all[0]!
    : new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
}
