/** CAR files (ipld.io/specs/transport/car): blocks carried in a file. Who made the file is a stranger: every block is checked. */
import { CarBlockIterator } from "@ipld/car";
import type { Blockstore } from "interface-blockstore";
import type { CID } from "multiformats/cid";
import type { MultihashHasher } from "multiformats/hashes/interface";
import { NethoodError } from "../errors.ts";
import { broken } from "./unixfs.ts";

/** The largest block that is taken in: what bitswap carries (unixfs specification, "Block size"). */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;

/** An identity CID carries its bytes itself. */
const IDENTITY = 0;

export interface Imported {
  /** What the file says is its beginning. */
  roots: CID[];
  blocks: number;
  /** Of all blocks. */
  bytes: number;
}

export interface ImportOptions {
  signal?: AbortSignal | undefined;
  /** Called after each block. */
  onProgress?: ((progress: Omit<Imported, "roots">) => void) | undefined;
}

/**
 * Stores the blocks of a CAR file. What was stored before a failure stays: each block is whole by itself.
 *
 * @param hasher the hash function of a multihash code
 * @throws {NethoodError} BAD_BLOCK for bytes that are not what their CID says, BAD_CAR for a file that is none, DISK_FULL
 */
export async function importCar(
  store: Pick<Blockstore, "put">,
  source: AsyncIterable<Uint8Array>,
  hasher: (code: number) => MultihashHasher | Promise<MultihashHasher>,
  { signal, onProgress }: ImportOptions = {},
): Promise<Imported> {
  const done = { blocks: 0, bytes: 0 };
  const car = await reading(CarBlockIterator.fromIterable(source));
  const roots = await reading(car.getRoots());
  const blocks = car[Symbol.asyncIterator]();
  for (;;) {
    signal?.throwIfAborted();
    const { value } = await reading(blocks.next());
    if (value === undefined) return { roots: roots as CID[], ...done };
    const { cid, bytes } = value as { cid: CID; bytes: Uint8Array };
    if (cid.multihash.code === IDENTITY) continue;
    await check(cid, bytes, hasher);
    await store.put(cid, bytes, signal ? { signal } : {});
    done.blocks++;
    done.bytes += bytes.byteLength;
    onProgress?.({ ...done });
  }
}

async function check(
  cid: CID,
  bytes: Uint8Array,
  hasher: Parameters<typeof importCar>[2],
): Promise<void> {
  if (bytes.byteLength > MAX_BLOCK_BYTES) throw broken(cid, "is larger than 2 MiB");
  const { digest } = await (await knownHasher(cid, hasher)).digest(bytes);
  const { digest: claimed } = cid.multihash;
  if (digest.length !== claimed.length || claimed.some((byte, i) => byte !== digest[i])) {
    throw broken(cid, "is not what its name says");
  }
}

async function knownHasher(cid: CID, hasher: Parameters<typeof importCar>[2]) {
  try {
    return await hasher(cid.multihash.code);
  } catch (cause) {
    const message = `${cid} is named by a hash function that Nethood does not know.`;
    throw new NethoodError("UNSUPPORTED", message, { cause });
  }
}

/** What the reader of the file says is about the file. */
async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if ((cause as { code?: string }).code !== undefined) throw cause; // the disk's failure, not the file's
    throw new NethoodError("BAD_CAR", `This is not a CAR file, or it is damaged.`, {
      cause,
      hint: "Get the file again; the blocks that were read are kept.",
    });
  }
}
