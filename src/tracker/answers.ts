/** What askers are told, from the store. What many ask for is looked up once a second. */
import { arrange, type Asker, isNear, recordFor } from "./order.ts";
import type { Provider, Stats, TrackerStore } from "./store.ts";

/** How long an answer is used again, in milliseconds; and the counts, for which every row is looked at. */
const SAME_MS = 1_000, COUNTED_MS = 15_000;

/** Records in one answer, most (http-routing-v1: "SHOULD be limited to 100"). */
const MAX_RECORDS = 100;

/** Of how many those are chosen, and how many of the asker's own network there can be among them: a crowd of its own is no web. */
const CHOSEN_OF = 150, MAX_OWN = 75;

/** Peers nearest to a key (kad-dht: k). */
const NEAREST = 20;

interface Popular {
  found: Provider[];
  /** For those outside the tracker's network who have nobody in theirs: most. */
  world?: string[];
}

export interface Answers {
  providers(key: string, from: Asker): Promise<string[]>;
  neighbours(key: string, from: Asker): Promise<Provider[]>;
  peer(id: string, from: Asker): Promise<string[]>;
  closest(place: Uint8Array, from: Asker): Promise<string[]>;
  stats(): Promise<Stats>;
}

export function createAnswers(store: TrackerStore, now: () => number): Answers {
  let popular = new Map<string, Popular>();
  let since = -Infinity;
  let counted: Promise<Stats> | undefined;
  let countedAt = -Infinity;

  const records = (peers: Provider[], from: Asker) => {
    const texts: string[] = [];
    for (const peer of peers) {
      const record = recordFor(peer, from);
      if (record !== undefined && texts.push(record) === MAX_RECORDS) break;
    }
    return texts;
  };

  async function lookUp(key: string, at: number): Promise<Popular> {
    // All at once: nothing is kept that nobody asks for again.
    if (at - since >= SAME_MS) {
      popular = new Map();
      since = at;
    }
    const known = popular.get(key);
    if (known !== undefined) return known;
    const looked = { found: await store.providers(key, at, CHOSEN_OF) };
    popular.set(key, looked);
    return looked;
  }

  const neighbours = (key: string, { network }: Asker) =>
    store.neighbours(key, network, now(), MAX_OWN);

  return {
    async providers(key, from) {
      const at = now();
      const looked = await lookUp(key, at);
      const { found } = looked;
      if (found.length < CHOSEN_OF) {
        if (from.near !== "world" || found.some((peer) => isNear(peer, from))) {
          return records(arrange(found, from, at), from);
        }
      } else {
        const own = await neighbours(key, from);
        if (own.length > 0 || from.near !== "world") {
          const ids = new Set(own.map(({ id }) => id));
          const others = found.filter(({ id }) => !ids.has(id));
          return records(arrange([...own, ...others], from, at), from);
        }
      }
      return looked.world ??= records(arrange(found, from, at), from);
    },
    neighbours,
    async peer(id, from) {
      const peer = await store.peer(id, now());
      return peer === undefined ? [] : records([peer], from);
    },
    async closest(place, from) {
      return records(await store.closest(place, now(), NEAREST), from);
    },
    stats() {
      if (now() - countedAt > COUNTED_MS) {
        countedAt = now();
        counted = store.stats();
      }
      return counted!;
    },
  };
}
