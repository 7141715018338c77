/** The store that several trackers share: Redis or Valkey. Every call is one script there, or as good as one. */
import { Buffer } from "node:buffer";
import { NethoodError } from "../errors.ts";
import { distanceTo } from "../routing/network.ts";
import { cutPlace, distanceBetween } from "./hash.ts";
import { change, type Held, NOTHING, readHeld } from "./keys.ts";
import { RedisLink } from "./redis-link.ts";
import {
  ANNOUNCE,
  CLOSEST,
  COUNT,
  FIND,
  HAS,
  MET,
  PEER,
  PUT,
  RENEW,
  SWEEP,
  TOUCHED_MS,
} from "./redis-scripts.ts";
import type { StoreAddress } from "./redis-url.ts";
import {
  type Change,
  type Counts,
  members,
  type Provider,
  REMEMBERED_MS,
  type Stats,
  type TrackerStore,
} from "./store.ts";
import { newSecret, readToken, writeToken } from "./token.ts";

/** Before this version a script that drew lots could write nothing after it. */
const MIN_VERSION = 7;

/** A peer as the scripts tell it, and what they add. */
type Row = [
  ...[expires: string, ttl: string, met: string],
  ...[src: string, world: string, lan: string, machine: string, id: string],
  more: string | number,
];

/** What a peer announced before. */
interface Old {
  time: number;
  network: string;
  expires: number;
  touched: number;
  held: Held;
}

export class RedisStore implements TrackerStore {
  readonly #link: RedisLink;

  private constructor(link: RedisLink) {
    this.#link = link;
  }

  /** @throws {NethoodError} STORE_UNREACHABLE */
  static async open(
    address: StoreAddress,
    log: (line: string) => void = () => undefined,
  ): Promise<RedisStore> {
    const link = await RedisLink.open(address, log);
    // Where it may not say, nothing is known.
    const info = await link.info();
    const [, version] = /^redis_version:(\d+)/m.exec(info) ?? [];
    if (Number(version) < MIN_VERSION) {
      await link.close();
      throw new NethoodError("STORE_UNREACHABLE", `The Redis at ${address.text} is too old.`, {
        hint: `Use version ${MIN_VERSION} or newer, or Valkey.`,
      });
    }
    if (/^aof_enabled:0/m.test(info)) {
      log(
        `The Redis at ${address.text} writes no append-only file: what was announced is lost with ` +
          "it, and comes again by itself. Its option appendonly keeps it.",
      );
    }
    return new RedisStore(link);
  }

  async announce(said: Change): Promise<{ token: string } | undefined> {
    for (;;) {
      const old = await this.#old(said.id);
      if (old !== undefined && said.time <= old.time) return undefined;
      const secret = newSecret();
      const writing = writingOf(said, old, secret);
      if (await this.#link.run(ANNOUNCE, JSON.stringify(writing)) === 1) {
        return { token: writeToken(said.place, secret) };
      }
      // Another announce of this peer came between: it is compared with that.
    }
  }

  async renew(token: string, now: number, given = 0): Promise<number | undefined> {
    const read = readToken(token);
    if (read === undefined) return undefined;
    const { num: place, secret } = read;
    return await this.#link.run(RENEW, place, hex(secret), now, given) as number | null ??
      undefined;
  }

  async providers(key: string, now: number, limit: number): Promise<Provider[]> {
    return await this.#find(key, "", now, limit);
  }

  async neighbours(key: string, network: string, now: number, limit: number): Promise<Provider[]> {
    return await this.#find(key, network, now, limit);
  }

  async has(id: string, key: string, now: number): Promise<boolean> {
    return await this.#link.run(HAS, id, key, now) === 1;
  }

  async peer(id: string, now: number): Promise<Provider | undefined> {
    const row = await this.#link.run(PEER, id, now) as Row | null;
    return row === null ? undefined : provider(row, undefined);
  }

  async closest(key: Uint8Array, now: number, limit: number): Promise<Provider[]> {
    const place = cutPlace(key);
    const rows = await this.#link.run(CLOSEST, place, now, limit) as Row[];
    const far = (row: Row) => distanceBetween(Number(row.at(-1)), place);
    const sorted = rows.sort((a, b) => far(a) - far(b));
    return sorted.slice(0, limit).map((row) => provider(row, undefined));
  }

  async met(id: string, now: number, at: string[] | undefined): Promise<void> {
    await this.#link.run(
      MET,
      id,
      at === undefined ? -now : now,
      ...(at ?? []).map((a) => members([a])),
    );
  }

  async scrape(keys: string[], now: number): Promise<Counts[]> {
    return await Promise.all(keys.map(async (key) => {
      const counted = await this.#link.run(COUNT, key, now) as (string | number)[];
      const [seeders, readers, completed, given] = counted.map(Number) as [
        ...[number, number],
        ...[number, number],
      ];
      return { seeders, readers, completed, given };
    }));
  }

  async stats(): Promise<Stats> {
    const [peers, records, counts] = await Promise.all([
      this.#link.send("ZCARD", "lives"),
      this.#link.send("HLEN", "ipns"),
      this.#link.send("HMGET", "counts", "seeds", "reads") as Promise<(string | null)[]>,
    ]);
    // What Redis forgot by itself was not counted.
    const [seeds = 0, reads = 0] = counts.map((count) => Math.max(0, Number(count)));
    return { peers: Number(peers), seeds, reads, records: Number(records) };
  }

  async getRecord(name: string): Promise<Uint8Array | undefined> {
    const record = await this.#link.bytes("HGET", "ipns", name);
    return record === null ? undefined : new Uint8Array(record);
  }

  async putRecord(
    name: string,
    record: Uint8Array,
    before: Uint8Array | undefined,
  ): Promise<boolean> {
    const here = before === undefined ? [0] : [1, before];
    return await this.#link.run(PUT, name, record, ...here) === 1;
  }

  async expire(now: number): Promise<number> {
    try {
      return await this.#link.run(SWEEP, now - REMEMBERED_MS) as number;
    } catch (error) {
      // That is told already, once; the sweep comes again and again.
      if (error instanceof NethoodError && error.code === "STORE_UNREACHABLE") return 0;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#link.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #find(key: string, network: string, now: number, limit: number): Promise<Provider[]> {
    const rows = await this.#link.run(FIND, key, now, limit, network) as Row[];
    return rows.map((row) => provider(row, row.at(-1) === 1));
  }

  async #old(id: string): Promise<Old | undefined> {
    const fields = ["time", "network", "expires", "touched", "seeds", "reads"];
    const [time, network, expires, touched, seeds, reads] = await this.#link.send(
      "HMGET",
      `peer:${id}`,
      ...fields,
    ) as (string | null)[];
    if (time == null) return undefined;
    return {
      time: Number(time),
      network: network!,
      expires: Number(expires),
      touched: Number(touched),
      held: readHeld({ seeds: seeds!, reads: reads! }),
    };
  }
}

/** What the script writes of an announce. */
function writingOf(
  said: Change,
  old: Old | undefined,
  secret: Uint8Array,
): object {
  const { id, place, time, now, ttl, given, from, network, addrs } = said;
  const had = old?.held ?? NOTHING;
  const lives = old !== undefined && old.expires > now;
  const has = change(lives ? had : NOTHING, said);
  const expires = has.seeds.size + has.reads.size > 0 ? now + 1000 * ttl : now;
  // Where all is there and is to stay, only what is new is written.
  const stays = lives && old.network === network && now - old.touched < TOUCHED_MS;
  const kinds = ["seeds", "reads"] as const;
  const each = <T>(of: (kind: typeof kinds[number]) => T) =>
    Object.fromEntries(kinds.map((kind) => [kind, of(kind)]));
  const moved = old !== undefined && old.network !== network;
  return {
    ...{ id, now, expires, place, completed: has.completed },
    after: old === undefined ? "" : String(old.time),
    was: `${old?.network} ${id}`,
    is: `${network} ${id}`,
    drop: each((kind) => [...had[kind]].filter((key) => moved || !has[kind].has(key))),
    add: each((kind) => [...has[kind]].filter((key) => !stays || !had[kind].has(key))),
    more: each((kind) => has[kind].size - had[kind].size),
    fields: {
      ...{ time: String(time), secret: hex(secret), ttl: String(ttl), given: String(given) },
      ...{ expires: String(expires), touched: String(stays ? old.touched : now) },
      ...{ network, src: from, world: members(addrs.world), lan: members(addrs.network) },
      machine: members(addrs.machine),
      ...each((kind) => [...has[kind]].join(" ")),
    },
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function provider(row: Row, seeds: boolean | undefined): Provider {
  const [expires, ttl, met, src, world, network, machine, id] = row;
  const from = { from: src, near: distanceTo(src) };
  const seen = Number(expires) - 1000 * Number(ttl);
  return { id, ...from, world, network, machine, seeds, met: Number(met), seen };
}
