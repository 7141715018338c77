/**
 * What a tracker keeps, and how it asks for it. Every call is one step for all processes that share a store: none of them
 * reads something first and writes on the strength of it. Keys are the ids of {@link Key}; times are milliseconds since 1970.
 */
import { MAX_SKEW_MS } from "../routing/announce.ts";
import type { Distance } from "../routing/network.ts";

/** How long a peer that has nothing any more is remembered, in milliseconds: as long as an announce of its could be replayed. */
export const REMEMBERED_MS: number = 2 * MAX_SKEW_MS;

/** What one announce changes. */
export interface Change {
  /** The peer ID. */
  id: string;
  /** Where that is among all. */
  place: number;
  /** Signed with it; an announce that is not later than the last one of this peer changes nothing. */
  time: number;
  now: number;
  /** For how long it holds, in seconds. */
  ttl: number;
  given: number;
  event: "started" | "updated" | "completed" | "stopped";
  seeds: string[];
  reads: string[];
  /** The IP address that it came from, and its network. */
  from: string;
  network: string;
  addrs: Addresses;
}

/** A peer's multiaddrs by who may be told of them. */
export interface Addresses {
  /** Anybody: where the announce came from, or where the peer was met since. */
  world: string[];
  /** Who is on the same network. */
  network: string[];
  /** Who is on the same machine. */
  machine: string[];
  /** Addresses that lead elsewhere than to where the announce came from: nobody, until the peer was met there. */
  claimed: string[];
}

/** JSON: the members of a list of strings. */
export function members(texts: string[]): string {
  return texts.length === 0 ? "" : JSON.stringify(texts).slice(1, -1);
}

/** A peer that has a key, as it is handed on. */
export interface Provider {
  id: string;
  /** Where it announced from. */
  from: string;
  /** How near that is to the tracker. */
  near: Distance;
  /** As {@link members} writes them. For whom each is is told at {@link Addresses}. */
  world: string;
  network: string;
  machine: string;
  /** Whether it has the key whole, where it was asked for by one. */
  seeds: boolean | undefined;
  /** When it was last met by dialling: 0 never, below 0 it was not there. */
  met: number;
  /** When it last announced or renewed. */
  seen: number;
}

export interface Counts {
  seeders: number;
  readers: number;
  completed: number;
  given: number;
}

export interface Stats {
  peers: number;
  seeds: number;
  reads: number;
  /** IPNS records. */
  records: number;
}

export interface TrackerStore extends AsyncDisposable {
  /** Fulfilled once it would survive the end of the process: with the renewal token, or undefined for a replay. */
  announce(change: Change): Promise<{ token: string } | undefined>;
  /** All that the peer of a token has lives on: for so many seconds, or undefined where it is over. Survives as above. */
  renew(token: string, now: number, given?: number): Promise<number | undefined>;
  /** Peers that have a key now; where there are more, others at every call. */
  providers(key: string, now: number, limit: number): Promise<Provider[]>;
  /** Those of them that are in one network; where there are more, others at every call. */
  neighbours(key: string, network: string, now: number, limit: number): Promise<Provider[]>;
  /** Whether a peer has a key now. */
  has(id: string, key: string, now: number): Promise<boolean>;
  peer(id: string, now: number): Promise<Provider | undefined>;
  /** Peers whose IDs are nearest to a key by the XOR of their SHA-256. @param key 32 bytes */
  closest(key: Uint8Array, now: number, limit: number): Promise<Provider[]>;
  /** A peer was dialled: the claimed addresses at which it was met, or undefined where it was not there at all. */
  met(id: string, now: number, at: string[] | undefined): Promise<void>;
  scrape(keys: string[], now: number): Promise<Counts[]>;
  stats(): Promise<Stats>;
  /** An IPNS record. @param name the key in base36 */
  getRecord(name: string): Promise<Uint8Array | undefined>;
  /** Stores it unless another came between: `before` is what is there as far as the caller knows. False: look again. */
  putRecord(name: string, record: Uint8Array, before: Uint8Array | undefined): Promise<boolean>;
  /** Forgets some of what is over; to be called again and again. Returns how many peers. */
  expire(now: number): Promise<number>;
  /** Writes what is to be written, and frees the file. */
  close(): Promise<void>;
}
