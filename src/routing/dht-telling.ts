/**
 * Tells the DHT what a node has for others, for an announcer as if it were a tracker. What is told there is told to strangers: only
 * what a person published, follows or keeps is, by its root and its key; never what was merely read, and no DNS names.
 */
import type { CID } from "multiformats/cid";
import { parseCid, parseKey } from "../content/address.ts";
import type { Dht } from "./dht.ts";
import type { Accepted, Tracker } from "./tracker.ts";

/** A member keeps what it was told for two days (the kad-dht specification); it is told again in seconds, long before. */
const AGAIN_S = 12 * 60 * 60;

/** While fewer members are known than are told everything: whoever comes next is to know it, too. In seconds. */
const SMALL_AGAIN_S = 5 * 60;

/** How many of the nearest members are told something (the specification's k). */
const TOLD = 20;

/** Keys that are told, most, the latest first, and how many at once: in a large DHT each takes seconds. */
const MAX_KEYS = 100, AT_ONCE = 4;

export function createTelling(
  dht: Pick<Dht, "origin" | "provide" | "withdraw" | "members" | "entered">,
  again?: number,
): Pick<Tracker, "origin" | "announce" | "renew"> {
  /** By how they are written. */
  let told = new Map<string, CID>();
  let where = "";

  return {
    origin: dht.origin,
    async announce({ event, seeds = [], addrs = [] }, { signal }): Promise<Accepted> {
      // Nobody there can be told that it is over: those who were told forget it.
      if (event !== "updated") return { interval: AGAIN_S, token: "", refused: [] };
      const keys = new Map(
        seeds.flatMap((text) => {
          const cid = cidOf(text);
          return cid ? [[text, cid] as const] : [];
        }).slice(0, MAX_KEYS),
      );
      for (const [text, cid] of told) if (!keys.has(text)) await dht.withdraw(cid);
      const moved = where !== addrs.join();
      const news = [...keys].filter(([text]) => moved || !told.has(text));
      await tell(news.map(([, cid]) => cid), signal);
      told = keys;
      where = addrs.join();
      return { interval: interval(), token: "", refused: [] };
    },
    async renew(_, __, { signal }) {
      await tell([...told.values()], signal);
      return interval();
    },
  };

  async function tell(keys: CID[], signal: AbortSignal): Promise<void> {
    await dht.entered({ signal });
    const left = keys.values();
    const teller = async () => {
      for (const key of left) await dht.provide(key, { signal });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, teller));
  }

  function interval(): number {
    return again ?? (dht.members() < TOLD ? SMALL_AGAIN_S : AGAIN_S);
  }
}

/** The CID of a root or a key; undefined for a DNS name. */
function cidOf(text: string): CID | undefined {
  return text.startsWith("/ipns/") ? parseKey(text.slice("/ipns/".length)) : parseCid(text);
}
