/** What askers are told, from the store. What many ask for is looked up twice a second. */
import { networkOf } from "../routing/network.ts";
import { Demand } from "./demand.ts";
import { arrange, type Asker, isNear, recordFor } from "./order.ts";
import type { Provider, Stats, TrackerStore } from "./store.ts";

/** How long an answer is used again, in milliseconds; and the counts, for which every row is looked at. */
const SAME_MS = 500, COUNTED_MS = 15_000;

/** Keys whose answers are kept for that time, most: of a few kilobytes each. */
const MAX_POPULAR = 1_000;

/** How often a key is asked for in twice that time before its answer is kept: the memory of what few ask for is gone for seconds. */
const POPULAR = 4;

/** Records in one answer, most (http-routing-v1: "SHOULD be limited to 100"). */
const MAX_RECORDS = 100;

/** Of how many those are chosen, and how many of the asker's own network are among them where there are others. */
const CHOSEN_OF = 150, MAX_OWN = 75;

/** Peers nearest to a key (kad-dht: k). */
const NEAREST = 20;

/** Records of Delegated Routing V1. */
export interface Found {
  /** Members of a list of JSON, one a line: a text for each would take three times the memory. */
  records: string;
  /** Whether everybody may be told the same: nothing in it is for this asker alone. */
  shared: boolean;
}

/** What is kept of a key: not who was found, which is ten times as much. */
interface Popular {
  many: boolean;
  /** Where those that were found announced from. */
  networks: Set<string>;
  /** By the address of who was told; those who have nobody near, in the world, are all told the same. */
  told: Map<string, Found>;
}

export interface Answers {
  providers(key: string, from: Asker): Promise<Found>;
  neighbours(key: string, from: Asker): Promise<Provider[]>;
  peer(id: string, from: Asker): Promise<Found>;
  closest(place: Uint8Array, from: Asker): Promise<Found>;
  stats(): Promise<Stats>;
}

export function createAnswers(store: TrackerStore, now: () => number): Answers {
  let popular = new Map<string, Popular>();
  const demand = new Demand();
  const finding = new Map<string, Promise<Provider[]>>();
  let since = -Infinity;
  let counted: Promise<Stats> | undefined;
  let countedAt = -Infinity;

  const tell = (peers: Provider[], from: Asker, shared: boolean): Found => {
    const records: string[] = [];
    for (const peer of peers) {
      const record = recordFor(peer, from);
      if (record !== undefined && records.push(record) === MAX_RECORDS) break;
    }
    return { records: records.join(",\n"), shared };
  };

  /** Whoever asks meanwhile is told the same, also where it fails. */
  function find(key: string, at: number): Promise<Provider[]> {
    let found = finding.get(key);
    if (found === undefined) {
      found = store.providers(key, at, CHOSEN_OF).finally(() => finding.delete(key));
      finding.set(key, found);
    }
    return found;
  }

  function remember(key: string, asked: number, found: Provider[], at: number): Popular {
    // All at once: nothing is kept that nobody asks for again.
    if (at - since >= SAME_MS) {
      popular = new Map();
      demand.turn();
      since = at;
    }
    const kept = popular.get(key) ?? { many: false, networks: new Set(), told: new Map() };
    // As of now: who has come since may be of an asker's own network, and then they alone are told of it.
    kept.many = found.length >= CHOSEN_OF;
    kept.networks = new Set(found.map((peer) => networkOf(peer.from)));
    if (asked >= POPULAR && popular.size < MAX_POPULAR) popular.set(key, kept);
    return kept;
  }

  /** Under which name an asker is told what others are, too. */
  const nameIn = ({ many, networks }: Popular, { ip, near, network }: Asker) =>
    near === "world" && !many && !networks.has(network) ? "" : ip;

  const neighbours = (key: string, { network }: Asker) =>
    store.neighbours(key, network, now(), MAX_RECORDS);

  return {
    async providers(key, from) {
      const at = now();
      const asked = demand.count(key);
      const last = at - since < SAME_MS ? popular.get(key) : undefined;
      const known = last?.told.get(nameIn(last, from));
      if (known !== undefined) return known;
      const found = await find(key, at);
      const kept = remember(key, asked, found, at);
      const { many, networks, told } = kept;
      const name = nameIn(kept, from);
      const own = many ? await neighbours(key, from) : [];
      const others = own.length > 0 ? found.filter((peer) => !isNear(peer, from)) : found;
      const near = own.slice(0, Math.max(MAX_OWN, MAX_RECORDS - others.length));
      const shared = from.near === "world" && own.length === 0 && !networks.has(from.network);
      const answer = tell(arrange([...near, ...others], from, at), from, shared);
      told.set(name, answer);
      return answer;
    },
    neighbours,
    async peer(id, from) {
      const peer = await store.peer(id, now());
      return tell(peer === undefined ? [] : [peer], from, false);
    },
    async closest(place, from) {
      return tell(await store.closest(place, now(), NEAREST), from, false);
    },
    stats() {
      if (now() - countedAt > COUNTED_MS) {
        countedAt = now();
        counted = store.stats();
        // What failed is tried again by whoever asks next.
        counted.catch(() => countedAt = -Infinity);
      }
      return counted!;
    },
  };
}
