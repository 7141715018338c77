/**
 * The one way every read goes: memory, disk, then the neighbours. A block that many ask for at once is fetched once, and the
 * fetch ends soon after nobody waits for it any more.
 */
import type { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import { unlessAborted } from "../abort.ts";
import type { BlockOptions, Supply } from "../content/blocks.ts";
import { canLink } from "../content/document.ts";
import { NethoodError, notCached } from "../errors.ts";
import type { DiskBlocks } from "../store/blocks.ts";
import { Ticker } from "./ticker.ts";

/** How long a reader waits for a block that nobody offers before it is told so, in milliseconds. */
export const FETCH_TIMEOUT_MS: number = 20_000;

/** The same while no peer is connected: time enough for a neighbour on the same network to be discovered. */
export const LONELY_TIMEOUT_MS: number = 4_000;

/**
 * How long a fetch goes on without a reader, in milliseconds. Who reloads a page at once wants the blocks that are on their way,
 * and neighbours do not send a block twice within this time.
 */
export const LINGER_MS: number = 5_000;

/** How often it is looked who offers a block, in milliseconds. */
const LOOK_MS = 100;

/** Why nothing is looked for any more that is here, or that nobody waits for. One for all: to make an error costs more than the rest. */
const DONE = new DOMException("nobody waits for this block any more", "AbortError");

/** Identity CIDs carry their bytes themselves; longer ones are refused (specification: unixfs, 128 bytes). */
const MAX_IDENTITY_BYTES = 128;

/** What the exchange needs of the network. */
export interface Network {
  /**
   * Resolves when a block from peers is checked and stored; waits until somebody sends it, or the signal ends it. The signal is
   * aborted also when the block is here, and ends what still looks for it.
   */
  fetch(cid: CID, signal: AbortSignal): Promise<void>;
  /** Blocks that a reader will come to. @returns what to call when it will not */
  expect(cids: CID[]): () => void;
  /** A node that was handed to a reader, who may ask next for what it links to. */
  handed(cid: CID, block: Uint8Array): void;
  /** How many peers are connected now. */
  peers(): number;
  /** Whether a peer that has not fallen silent offers a block: then it is only a matter of time. */
  isOffered(cid: CID): boolean;
}

/** It carries no bytes: its promises are old when a block comes, and what an old object holds is not freed with what is new. */
interface Fetch {
  done: Promise<void>;
  readers: number;
  /** How long somebody has waited while nobody offered it, in milliseconds. */
  spent: number;
  /** Somebody offered it meanwhile. */
  offered: boolean;
  stop: AbortController;
  lingering?: ReturnType<typeof setTimeout>;
}

export interface Exchange extends Supply {
  /** Ends every fetch; who waits for one, or asks for what is not here from now on, is told so. */
  stop(): void;
}

export function createExchange(
  store: Pick<DiskBlocks, "read" | "sizeOf">,
  network: Network,
  { timeout = FETCH_TIMEOUT_MS, linger = LINGER_MS }: { timeout?: number; linger?: number } = {},
): Exchange {
  const underway = new Map<string, Fetch>();
  const ticker = new Ticker(LOOK_MS);
  let stopped = false;

  return {
    async get(cid, options = {}) {
      if (cid.multihash.code === identity.code) return inline(cid);
      let block = await read(cid, options);
      if (block === undefined) {
        await arrive(cid, options);
        block = await read(cid, options) ?? gone(cid);
      }
      if (canLink(cid)) network.handed(cid, block);
      return block;
    },
    async bring(cid, options = {}) {
      if (cid.multihash.code === identity.code) return inline(cid).byteLength;
      const size = (await read(cid, options))?.byteLength;
      if (size !== undefined) return size;
      await arrive(cid, options);
      return store.sizeOf(cid) ?? gone(cid);
    },
    stop() {
      stopped = true;
      for (const [key, fetch] of underway) end(key, fetch, over());
    },
  };

  function read(cid: CID, { signal }: BlockOptions): Promise<Uint8Array | undefined> {
    return store.read(cid, signal ? { signal } : {});
  }

  async function arrive(cid: CID, { signal, upcoming, local }: BlockOptions): Promise<void> {
    if (local) throw notCached(`The block ${cid}`);
    prepare(upcoming, signal);
    await join(cid, signal);
  }

  /** What a reader will come to is on its way while it waits, for as long as it reads. */
  function prepare(upcoming: BlockOptions["upcoming"], signal: AbortSignal | undefined): void {
    if (upcoming === undefined || signal === undefined || stopped) return;
    const cids = upcoming();
    if (cids.length > 0) signal.addEventListener("abort", network.expect(cids), { once: true });
  }

  async function join(cid: CID, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (stopped) throw over();
    const key = cid.toString();
    const fetch = underway.get(key) ?? start(key, cid);
    if (fetch.readers++ === 0) fetch.spent = 0;
    clearTimeout(fetch.lingering);
    try {
      await unlessAborted(fetch.done, signal);
    } finally {
      if (--fetch.readers === 0 && underway.get(key) === fetch) {
        fetch.lingering = setTimeout(() => end(key, fetch), linger);
      }
    }
  }

  function start(key: string, cid: CID): Fetch {
    const stop = new AbortController();
    const waiting = { readers: 0, spent: 0, offered: false, stop };
    const fetch: Fetch = Object.assign(waiting, { done: retrieve(cid, waiting) });
    underway.set(key, fetch);
    const ended = () => end(key, fetch);
    fetch.done.then(ended, ended); // Every reader gets a failure; there may be none left.
    return fetch;
  }

  function end(key: string, fetch: Fetch, why?: NethoodError): void {
    clearTimeout(fetch.lingering);
    // A new reader must not join a fetch that is over.
    if (underway.get(key) === fetch) underway.delete(key);
    fetch.stop.abort(why ?? DONE);
  }

  async function retrieve(cid: CID, fetch: Omit<Fetch, "done">): Promise<void> {
    const { stop } = fetch;
    let looked = performance.now();
    const unwatch = ticker.add(() => {
      const now = performance.now();
      // Who offers it and still sends is slow, and no reason to give up.
      if (network.isOffered(cid)) fetch.offered = true;
      else fetch.spent += now - looked;
      looked = now;
      if (fetch.spent < Math.min(timeout, LONELY_TIMEOUT_MS)) return;
      if (fetch.spent >= timeout || network.peers() === 0) {
        stop.abort(nobody(cid, fetch.offered));
      }
    });
    try {
      const fetched = network.fetch(cid, stop.signal);
      fetched.catch(() => undefined); // awaited below, unless it is not needed
      // It may have come after it was looked for, and before anybody waited for it.
      if (await store.read(cid) === undefined) await fetched;
    } catch (cause) {
      if (stop.signal.aborted) throw stop.signal.reason;
      // What is wrong with this machine, a full disk for one, is not the neighbours' fault.
      if (cause instanceof NethoodError) throw cause;
      if (cause instanceof Error && cause.name === "UnknownHashAlgorithmError") {
        const message = `${cid} is named by a hash function that Nethood does not know.`;
        throw new NethoodError("UNSUPPORTED", message, { cause });
      }
      throw nobody(cid, fetch.offered, cause);
    } finally {
      unwatch();
    }
  }

  function nobody(cid: CID, offered: boolean, cause?: unknown): NethoodError {
    const peers = network.peers();
    const who = peers === 0
      ? "No neighbour is connected"
      : offered
      ? "Somebody offered it, and does not send it"
      : peers === 1
      ? "The one connected peer did not send it"
      : `None of ${peers} connected peers sent it`;
    return new NethoodError(
      "NO_PROVIDERS",
      `A part of this page (${cid}) is not on this machine. ${who}.`,
      {
        cause,
        hint: "Try again when somebody who has the site is online, or name one with --peer.",
      },
    );
  }
}

function gone(cid: CID): never {
  throw new NethoodError("NO_PROVIDERS", `${cid} came, and was removed at once.`, {
    hint: "Try again.",
  });
}

function over(): NethoodError {
  return new NethoodError("STOPPED", "This node is stopping.", {
    hint: "Start it again to read on.",
  });
}

function inline(cid: CID): Uint8Array {
  if (cid.multihash.digest.byteLength > MAX_IDENTITY_BYTES) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `An identity CID may hold ${MAX_IDENTITY_BYTES} bytes, not more.`,
    );
  }
  return cid.multihash.digest;
}
