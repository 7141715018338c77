/**
 * Blocks on disk, below a bounded memory tier.
 *
 * blockstore-fs keeps one file a block. Three things it does are done again here, because a node depends on them:
 * errors keep their cause (blockstore-fs turns an aborted read into "not found" and a full disk into a string), a block is
 * read in one piece, and what comes from disk is checked against its hash, so that a file cut short by a power failure
 * counts as missing and is fetched anew instead of being served.
 *
 * That check is made once while a store is open, since it is there for what happened before: only this process writes to the
 * folder (its records are the lock), a block's file is never changed but replaced whole by a rename, and one that has shrunk or
 * grown all the same is checked again.
 */
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { mkdir, readFile, rm, unlink } from "node:fs/promises";
import { totalmem } from "node:os";
import { join, sep } from "node:path";
import { FsBlockstore } from "blockstore-fs";
import { NextToLast } from "blockstore-fs/sharding";
import type { Blockstore, Pair } from "interface-blockstore";
import { NotFoundError } from "interface-store";
import type { CID } from "multiformats/cid";
import { sha256 } from "multiformats/hashes/sha2";
import { systemCode } from "../errors.ts";
import { sha256Of } from "./digest.ts";
import { diskError } from "./disk-error.ts";
import { MemoryTier, usualMemory } from "./memory.ts";
import { Newest } from "./newest.ts";
import { writeInPieces } from "./pieces.ts";

/** Most blocks that are remembered as checked: 32 GiB of the usual 1 MiB, in a few megabytes of memory. */
const MAX_CHECKED = 32 * 1024;

/**
 * What came just now is what neighbours ask for next, but a large file that only passes by would fill the memory tier with what
 * nobody may ask for. Up to this size, in bytes, to read a block from disk costs more than its bytes do: it is held at once, and
 * a larger one once it was asked for.
 */
const SMALL_BLOCK = 256 * 1024;

/** Half-written files live here until they are renamed; whatever a killed process left is removed at the next start. */
const UNFINISHED = "unfinished";

type Bytes = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
type Abortable = { signal?: AbortSignal };

/** Told of every change, after it was made. */
export interface StoreWatcher {
  stored(cid: CID, block: Uint8Array): void;
  removed(cid: CID): void;
}

export class DiskBlocks extends FsBlockstore implements Blockstore {
  readonly #memory: MemoryTier;
  readonly #newest: Newest;
  readonly #shards = new NextToLast();
  /** Blocks whose file was checked, and how long it was. */
  readonly #checked = new Map<string, number>();
  /** What is being read from disk. */
  readonly #loading = new Map<string, Promise<Uint8Array | "damaged" | undefined>>();
  /** The last change under way of each block's file. */
  readonly #changes = new Map<string, Promise<unknown>>();
  /** Folders of blocks that are known to be there. */
  readonly #dirs = new Set<string>();
  #unfinished = 0;
  #watchers: StoreWatcher[] = [];

  constructor(dir: string, options: { memory?: number } = {}) {
    super(dir);
    const memory = options.memory ?? usualMemory(totalmem());
    this.#memory = new MemoryTier(memory, (block) => block.byteLength);
    this.#newest = new Newest(memory);
  }

  /** @throws {NethoodError} DIR_UNWRITABLE, DISK_FULL */
  override async open(): Promise<void> {
    try {
      await super.open();
      await rm(join(this.path, UNFINISHED), { recursive: true, force: true });
      await mkdir(join(this.path, UNFINISHED));
    } catch (error) {
      throw diskError(error, this.path);
    }
  }

  /** The block, from memory or disk; undefined where this store does not have it whole. */
  async read(cid: CID, options: Abortable = {}): Promise<Uint8Array | undefined> {
    options.signal?.throwIfAborted();
    const key = keyOf(cid);
    const held = this.#memory.get(key);
    if (held !== undefined) return held;
    let block = this.#newest.get(key) ?? await this.#loadOnce(key, cid);
    if (block === "damaged") {
      // Read again in its turn: it may just have been put anew.
      block = await this.#alone(key, async () => {
        const again = await this.#load(cid);
        if (again === "damaged") await unlink(this.#file(cid).path);
        return again;
      });
    }
    options.signal?.throwIfAborted();
    if (block === undefined || block === "damaged") return undefined;
    this.#memory.set(key, block);
    return block;
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

  /** Writes a block that is not here yet, or no longer whole. @throws {NethoodError} DISK_FULL, DIR_UNWRITABLE */
  override async put(cid: CID, value: Bytes, options: Abortable = {}): Promise<CID> {
    if (this.#isFiled(cid) && await this.has(cid, options)) return cid;
    const bytes = plain(value instanceof Uint8Array ? value : await concat(value));
    const { dir, path } = this.#file(cid);
    const unfinished = join(this.path, UNFINISHED, String(this.#unfinished++));
    const key = keyOf(cid);
    await this.#alone(key, async () => {
      try {
        writeInPieces(unfinished, bytes);
        if (!this.#dirs.has(dir)) {
          if (!existsSync(dir)) mkdirSync(dir);
          this.#dirs.add(dir);
        }
        renameSync(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw diskError(error, this.path);
      }
    });
    // A view would keep all that it is a view of.
    if (bytes.byteLength === bytes.buffer.byteLength) {
      this.#newest.set(key, bytes);
      if (bytes.byteLength <= SMALL_BLOCK) this.#memory.set(key, bytes);
    }
    for (const watcher of this.#watchers) watcher.stored(cid, bytes);
    return cid;
  }

  /**
   * Whether the block is here whole. It is read to know: whoever is told "yes" does not bring it again, so that a "yes" for a
   * damaged file would keep the damage. Nearly always a read of the same block comes next, from memory then.
   */
  override async has(cid: CID, options: Abortable = {}): Promise<boolean> {
    return await this.read(cid, options) !== undefined;
  }

  override async delete(cid: CID, options: Abortable = {}): Promise<void> {
    options.signal?.throwIfAborted();
    const key = keyOf(cid);
    await this.#alone(key, async () => {
      try {
        await rm(this.#file(cid).path, { force: true });
      } catch (error) {
        throw diskError(error, this.path);
      }
      this.#memory.delete(key);
      this.#newest.delete(key);
      this.#checked.delete(key);
    });
    for (const watcher of this.#watchers) watcher.removed(cid);
  }

  /** Whether there is a file for the block, without a look into it: as much as one may tell others without reading it all. */
  holds(cid: CID): Promise<boolean> {
    return Promise.resolve(this.seems(cid));
  }

  /** The same, at this moment. */
  seems(cid: CID): boolean {
    return this.#memory.has(keyOf(cid)) || this.#isFiled(cid);
  }

  /**
   * How many bytes the block's file has, without a look into it; undefined where there is none. A file of the right length may
   * still be damaged, but what a power failure leaves is nearly always shorter.
   */
  sizeOf(cid: CID): number | undefined {
    return statSync(this.#file(cid).path, { throwIfNoEntry: false })?.size;
  }

  /** Most blocks that are asked about are not here: to learn it from an error would cost ten times as much. */
  #isFiled(cid: CID): boolean {
    return existsSync(this.#file(cid).path);
  }

  /** @returns what ends it */
  watch(watcher: StoreWatcher): () => void {
    this.#watchers.push(watcher);
    return () => void (this.#watchers = this.#watchers.filter((other) => other !== watcher));
  }

  /** However many want it at once, a block is read once, and is in memory once. */
  async #loadOnce(key: string, cid: CID): Promise<Uint8Array | "damaged" | undefined> {
    // Looked for by each of them: what one did not find may have come before the next one asks.
    if (!this.#isFiled(cid)) return undefined;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#load(cid).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return await loading;
  }

  async #load(cid: CID): Promise<Uint8Array | "damaged" | undefined> {
    if (!this.#isFiled(cid)) return undefined;
    const block = await readFile(this.#file(cid).path).catch((error) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (block === undefined) return undefined;
    const bytes = plain(block);
    const key = keyOf(cid);
    if (this.#checked.get(key) === bytes.byteLength) return bytes;
    if (!await matches(cid, bytes)) {
      this.#checked.delete(key);
      return "damaged";
    }
    this.#checked.set(key, bytes.byteLength);
    if (this.#checked.size > MAX_CHECKED) {
      this.#checked.delete(this.#checked.keys().next().value!);
    }
    return bytes;
  }

  /** One change of a block's file at a time: whoever removes a damaged file must not remove the good one put meanwhile. */
  async #alone<T>(key: string, change: () => Promise<T>): Promise<T> {
    const before = this.#changes.get(key);
    const mine = before === undefined ? change() : before.then(change, change);
    this.#changes.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#changes.get(key) === mine) this.#changes.delete(key);
    }
  }

  #file(cid: CID): { dir: string; path: string } {
    const { dir, file } = this.#shards.encode(cid);
    const folder = `${this.path}${sep}${dir}`;
    return { dir: folder, path: `${folder}${sep}${file}` };
  }
}

/** A view that is no Buffer, whose slice() is not what decoders expect. */
function plain({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The multihash, a character a byte: a block is the same under every codec, nobody reads it, and no base is encoded faster. */
export function keyOf(cid: CID): string {
  // Given as they are: to spread them takes six times as long, and a crowd asks for keys all the time.
  return String.fromCharCode.apply(undefined, cid.multihash.bytes as unknown as number[]);
}

/** Only SHA-256 is checked: it is what every profile and nearly every site uses, and the others arrive checked. */
async function matches(cid: CID, bytes: Uint8Array): Promise<boolean> {
  if (cid.multihash.code !== sha256.code) return true;
  const digest = await sha256Of(bytes);
  return cid.multihash.digest.every((byte, i) => byte === digest[i]);
}

async function concat(parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return all.length === 1
    ? all[0]!
    : new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
}
