/**
 * The one way every read goes: memory, disk, then the neighbours. A block that many ask for at once is fetched once, and the
 * fetch ends when nobody waits for it any more.
 */
import type { Blockstore } from "interface-blockstore";
import type { CID } from "multiformats/cid";
import { identity } from "multiformats/hashes/identity";
import type { Blocks } from "../content/blocks.ts";
import { NethoodError } from "../errors.ts";
import type { DiskBlocks } from "../store/blocks.ts";

/** How long the swarm is asked for a block before the reader is told that nobody has it, in milliseconds. */
export const FETCH_TIMEOUT_MS: number = 20_000;

/** The same while no peer is connected: time enough for a neighbour on the same network to be discovered. */
export const LONELY_TIMEOUT_MS: number = 4_000;

/** Identity CIDs carry their bytes themselves; longer ones are refused (specification: unixfs, 128 bytes). */
const MAX_IDENTITY_BYTES = 128;

/** What the exchange needs of the network. */
export interface Swarm {
  /** Fetches a block from peers, checks it and stores it. */
  fetch: Pick<Blockstore, "get">;
  /** How many peers are connected now. */
  peers(): number;
}

interface Fetch {
  block: Promise<Uint8Array>;
  readers: number;
  stop: AbortController;
}

export function createExchange(
  store: Pick<DiskBlocks, "read">,
  swarm: Swarm,
  { timeout = FETCH_TIMEOUT_MS }: { timeout?: number } = {},
): Blocks {
  const underway = new Map<string, Fetch>();

  return {
    async get(cid, { signal } = {}) {
      if (cid.multihash.code === identity.code) return inline(cid);
      return await store.read(cid, signal ? { signal } : {}) ?? join(cid, signal);
    },
  };

  async function join(cid: CID, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const key = cid.toString();
    const fetch = underway.get(key) ?? start(key, cid);
    fetch.readers++;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal!.reason);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([fetch.block, left.promise]);
    } finally {
      signal?.removeEventListener("abort", leave);
      if (--fetch.readers === 0) {
        // A new reader must not join a fetch that is being stopped.
        if (underway.get(key) === fetch) underway.delete(key);
        fetch.stop.abort();
      }
    }
  }

  function start(key: string, cid: CID): Fetch {
    const stop = new AbortController();
    const fetch: Fetch = { block: retrieve(cid, stop), readers: 0, stop };
    underway.set(key, fetch);
    fetch.block.catch(() => undefined); // Every reader gets the failure; there may be none left.
    return fetch;
  }

  async function retrieve(cid: CID, stop: AbortController): Promise<Uint8Array> {
    const began = Date.now();
    const watch = setInterval(() => {
      const limit = swarm.peers() === 0 ? Math.min(timeout, LONELY_TIMEOUT_MS) : timeout;
      if (Date.now() - began >= limit) stop.abort(nobody(cid));
    }, 100);
    try {
      for await (const block of swarm.fetch.get(cid, { signal: stop.signal })) return block;
      throw nobody(cid);
    } catch (cause) {
      if (stop.signal.aborted) throw stop.signal.reason;
      // It came, and this machine could not keep it: that is no failure of the neighbours.
      throw cause instanceof NethoodError ? cause : nobody(cid, cause);
    } finally {
      clearInterval(watch);
    }
  }

  function nobody(cid: CID, cause?: unknown): NethoodError {
    const peers = swarm.peers();
    const who = peers === 0
      ? "No neighbour is connected"
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

function inline(cid: CID): Uint8Array {
  if (cid.multihash.digest.byteLength > MAX_IDENTITY_BYTES) {
    throw new NethoodError(
      "BAD_ADDRESS",
      `An identity CID may hold ${MAX_IDENTITY_BYTES} bytes, not more.`,
    );
  }
  return cid.multihash.digest;
}
