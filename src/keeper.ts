/** Keeps what was opened: pins it, notes the visit, and so offers it to others. Readers do not wait for it. */
import type { Helia } from "@helia/interface";
import type { CID } from "multiformats/cid";
import type { Supply } from "./content/blocks.ts";
import { pinAll, pinEach } from "./content/pin.ts";
import type { Entry, FileEntry, Found } from "./content/read.ts";
import { fetchWhole, type Near, type Whole, type WholeOptions } from "./content/whole.ts";
import { keysOf } from "./name/keys.ts";
import type { Resolved } from "./name/resolve.ts";
import type { DiskBlocks } from "./store/blocks.ts";
import type { Records, Visit } from "./store/records.ts";
import type { Shares } from "./store/shares.ts";

/** A page that is opened again within this time is not noted again. */
const NOTED_MS = 60_000;

const MAX_NOTED = 10_000;

/** How long a stop waits for what is being kept, in milliseconds: the blocks are here, only their pins are to be written. */
const FINISH_MS = 10_000;

/** How something was come by. */
type From = Pick<Resolved, "chain" | "path">;

export interface Keeper {
  /** The same entry; a file in it that is read to its end is kept under the address that led to it. */
  watch(entry: Entry, from: From): Entry;
  /** Fetches everything below what was found at an address, and keeps it under that. */
  keep(found: Found, from: From, options: WholeOptions): Promise<Whole>;
  visits(): Visit[];
  /** Finishes what is being kept. */
  stop(): Promise<void>;
}

export function createKeeper(
  { helia, blocks, store, peers, records, shares, log }: {
    helia: Pick<Helia, "pins">;
    blocks: Supply;
    store: Pick<DiskBlocks, "seems">;
    /** How many peers have something of what is read. */
    peers(): number;
    records: Records;
    shares: Pick<Shares, "note">;
    log: (line: string) => void;
  },
): Keeper {
  const noted = new Map<string, number>(), shared = new Map<string, number>();
  const underway = new Set<Promise<void>>();
  const over = new AbortController();

  return {
    watch(entry, from) {
      if (entry.kind !== "file") return entry;
      return {
        ...entry,
        async *bytes(range, options) {
          const all = range === undefined || range.start === 0 && range.end === entry.size;
          // Who reads it at the same time is to find this node now, not when it is too late.
          if (all && isNews(shared, from.chain[0]!)) offer(from);
          yield* entry.bytes(range, options);
          if (all) note(entry, from);
        },
      };
    },
    keep(found, from, options) {
      const work = keepWhole(found, from, options);
      const done: Promise<void> = work.then(() => undefined, () => undefined) // who asked is told
        .finally(() => underway.delete(done));
      underway.add(done);
      return work;
    },
    visits: () =>
      records.all<Visit>(
        "SELECT address, cid, size, opened FROM visits ORDER BY opened DESC LIMIT 1000",
      ),
    async stop() {
      const impatient = setTimeout(() => over.abort(), FINISH_MS);
      while (underway.size > 0) await Promise.all(underway);
      clearTimeout(impatient);
    },
  };

  async function keepWhole(
    { cid, above }: Found,
    from: From,
    { signal, onProgress }: WholeOptions,
  ): Promise<Whole> {
    const address = from.chain[0]!;
    share(from, false);
    const near: Near = {
      peers,
      holds: (cid) => store.seems(cid),
    };
    const whole = await fetchWhole(blocks, near, cid, { signal, onProgress });
    onProgress?.({ type: "content:keep:pin", cid, blocks: whole.blocks, bytes: whole.bytes });
    await pinEach(helia, blocks, above, address, { signal });
    await pinAll(helia, blocks, cid, address, { signal });
    visit(address, cid, whole.bytes);
    share(from, true, true);
    return whole;
  }

  function note(entry: FileEntry, from: From): void {
    const address = from.chain[0]!;
    const key = `${address} ${entry.cid}`;
    if (!isNews(noted, key)) return;
    const work = keep(entry, from).catch((error) => {
      noted.delete(key);
      log(`${address} was read but could not be kept: ${told(error)}`);
    }).finally(() => underway.delete(work));
    underway.add(work);
  }

  async function keep({ cid, above, size }: FileEntry, from: From): Promise<void> {
    const address = from.chain[0]!;
    const known = records.get<{ cid: string }>("SELECT cid FROM visits WHERE address = ?", address);
    if (known?.cid !== cid.toString()) {
      await pinEach(helia, blocks, above, address, over);
      await pinAll(helia, blocks, cid, address, over);
    }
    visit(address, cid, size);
    share(from, true);
  }

  /** What is read is shown also where a full disk leaves no room to note it for others. */
  function offer(from: From): void {
    try {
      share(from, false);
    } catch (error) {
      log(`${from.chain[0]} is read but could not be offered: ${told(error)}`);
    }
  }

  /**
   * @param whole whether all that the address leads to is here
   * @param chosen whether somebody asked for that
   */
  function share(from: From, whole: boolean, chosen = false): void {
    shares.note({ ...keysOf(from), whole: whole && from.path.length === 0, chosen });
  }

  function visit(address: string, cid: CID, size: number): void {
    const row = [address, cid.toString(), size, Date.now()] as const;
    records.run("INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?)", ...row);
  }
}

/** Whether it was not noted a moment ago; now it is. */
function isNews(noted: Map<string, number>, what: string): boolean {
  const now = Date.now();
  if (now - (noted.get(what) ?? 0) < NOTED_MS) return false;
  if (noted.size >= MAX_NOTED) noted.clear();
  noted.set(what, now);
  return true;
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
