/** CAR files (ipld.io/specs/transport/car): blocks carried in a file. Who made the file is a stranger: every block is checked. */
import { asyncIterableReader, createDecoder } from "@ipld/car/decoder";
import type { Blockstore } from "interface-blockstore";
import type { CID } from "multiformats/cid";
import { isAbort } from "../abort.ts";
import { NethoodError, systemCode } from "../errors.ts";
import { type FindHasher, matches } from "./verify.ts";

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
  hasher: FindHasher,
  { signal, onProgress }: ImportOptions = {},
): Promise<Imported> {
  const done = { blocks: 0, bytes: 0 };
  const car = createDecoder(modest(asyncIterableReader(source)));
  const { roots } = await reading(car.header());
  const blocks = car.blocks();
  for (;;) {
    signal?.throwIfAborted();
    const { value, done: over } = await reading(blocks.next());
    if (over) return { roots: roots as CID[], ...done };
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
  hasher: FindHasher,
): Promise<void> {
  if (!await matches(cid, bytes, hasher)) {
    throw new NethoodError(
      "BAD_BLOCK",
      `The block ${cid} in this file is not what its name says.`,
      {
        hint: "Get the file again, or from somebody else; the blocks before it are kept.",
      },
    );
  }
}

type Reader = ReturnType<typeof asyncIterableReader>;

/** The file says itself how long its next part is: it is not believed without limit, since every part is held in memory. */
function modest(reader: Reader): Reader {
  return {
    upTo: (length) => reader.upTo(length),
    exactly(length, seek) {
      if (length < 0) throw new Error("a block is shorter than its name");
      if (length <= MAX_BLOCK_BYTES) return reader.exactly(length, seek);
      throw new NethoodError("BAD_CAR", "A part of this file is larger than 2 MiB.", {
        hint: "Blocks of a CAR file may have 2 MiB, as everywhere in IPFS: have it made anew.",
      });
    },
    seek: (length) => reader.seek(length),
    get pos() {
      return reader.pos;
    },
  };
}

/** What the decoder objects to is the file's fault; what the disk says, or whoever stops it, is not. */
async function reading<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const ours = cause instanceof NethoodError || isAbort(cause) || systemCode(cause);
    if (ours) throw cause;
    throw new NethoodError("BAD_CAR", "This is not a CAR file, or it is damaged.", {
      cause,
      hint: "Get the file again; the blocks that were read are kept.",
    });
  }
}
