/** Keeps what was opened: pins it, notes the visit, and so offers it to others. Readers do not wait for it. */
import type { Helia } from "@helia/interface";
import type { CID } from "multiformats/cid";
import type { Blocks } from "./content/blocks.ts";
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
    blocks: Blocks;
    store: Pick<DiskBlocks, "seems">;
    /** How many peers have something of what is read. */
    peers(): number;
    records: Records;
    shares: Pick<Shares, "note">;
    log: (line: string) => void;
  },
): Keeper {
  const noted = new Map<string, number>();
  const underway = new Set<Promise<void>>();
  const over = new AbortController();

  return {
    watch(entry, from) {
      if (entry.kind !== "file") return entry;
      return {
        ...entry,
        async *bytes(range, options) {
          yield* entry.bytes(range, options);
          if (range === undefined || range.start === 0 && range.end === entry.size) {
            note(entry, from);
          }
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
    const near: Near = {
      peers,
      holds: (cid) => store.seems(cid),
    };
    const whole = await fetchWhole(blocks, near, cid, { signal, onProgress });
    onProgress?.({ type: "content:keep:pin", cid, blocks: whole.blocks, bytes: whole.bytes });
    await pinEach(helia, blocks, above, address, { signal });
    await pinAll(helia, blocks, cid, address, { signal });
    visit(address, cid, whole.bytes);
    shares.note({ ...keysOf(from), whole: from.path.length === 0, chosen: true });
    return whole;
  }

  function note(entry: FileEntry, from: From): void {
    const address = from.chain[0]!;
    const key = `${address} ${entry.cid}`;
    const now = Date.now();
    if (now - (noted.get(key) ?? 0) < NOTED_MS) return;
    if (noted.size >= MAX_NOTED) noted.clear();
    noted.set(key, now);
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
    shares.note({ ...keysOf(from), whole: from.path.length === 0 });
  }

  function visit(address: string, cid: CID, size: number): void {
    const row = [address, cid.toString(), size, Date.now()] as const;
    records.run("INSERT OR REPLACE INTO visits VALUES (?, ?, ?, ?)", ...row);
  }
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
