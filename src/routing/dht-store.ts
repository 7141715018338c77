/**
 * What a DHT's server keeps for others, in memory: who provides what, and records. Anybody may hand things in, so all of it has
 * its bounds; the oldest goes first. Whoever handed something in does so again within a day.
 */
import { BaseDatastore } from "datastore-core";
import { Key, type KeyQuery, type Pair, type Query } from "interface-datastore";
import { NotFoundError } from "interface-store";

/** Entries, most: of all, of one peer, and for one thing. At a hundred bytes or so each, of a record at most 10 KiB. */
const MAX_ENTRIES = 20_000, MAX_OF_PEER = 1_000, MAX_PROVIDERS = 100;

/** Records, most: 20 MB of the largest, usually one. */
const MAX_RECORDS = 2_000;

export class DhtStore extends BaseDatastore {
  /** By the key without its last part, which of a provider is the peer: the entries, the oldest first. */
  readonly #groups = new Map<string, Map<string, Uint8Array>>();
  /** Keys of the same, by their last part. */
  readonly #peers = new Map<string, Set<string>>();
  /** All keys, the oldest first. */
  readonly #keys = new Set<string>();

  override put(key: Key, value: Uint8Array): Key {
    const text = key.toString();
    this.#delete(text); // to be the last again
    const [parent, last] = parts(text);
    const group = at(this.#groups, parent, () => new Map());
    const peer = at(this.#peers, last, () => new Set());
    const isRecord = parent.endsWith("/record");
    if (group.size >= (isRecord ? MAX_RECORDS : MAX_PROVIDERS)) this.#drop(group.keys());
    if (peer.size >= MAX_OF_PEER) this.#drop(peer);
    if (this.#keys.size >= MAX_ENTRIES) this.#drop(this.#keys);
    // What was dropped may have been the last of its group.
    at(this.#groups, parent, () => new Map()).set(text, value);
    at(this.#peers, last, () => new Set()).add(text);
    this.#keys.add(text);
    return key;
  }

  override get(key: Key): Uint8Array {
    const text = key.toString();
    const value = this.#groups.get(parts(text)[0])?.get(text);
    if (value === undefined) throw new NotFoundError(`${text} is not kept here`);
    return value;
  }

  override has(key: Key): boolean {
    return this.#keys.has(key.toString());
  }

  override delete(key: Key): void {
    this.#delete(key.toString());
  }

  override async *_all({ prefix }: Query): AsyncGenerator<Pair> {
    for (const [key, value] of this.#below(prefix)) yield { key: new Key(key), value };
  }

  override async *_allKeys({ prefix }: KeyQuery): AsyncGenerator<Key> {
    for (const [key] of this.#below(prefix)) yield new Key(key);
  }

  /** At least what is below a prefix: who provides one thing is asked all the time, and not looked for among all. */
  #below(prefix = "/"): [string, Uint8Array][] {
    const one = this.#groups.get(prefix);
    return (one ? [one] : [...this.#groups.values()]).flatMap((group) => [...group]);
  }

  #drop(keys: Iterable<string>): void {
    for (const oldest of keys) return this.#delete(oldest);
  }

  #delete(text: string): void {
    if (!this.#keys.delete(text)) return;
    const [parent, last] = parts(text);
    const group = this.#groups.get(parent)!;
    group.delete(text);
    if (group.size === 0) this.#groups.delete(parent);
    const peer = this.#peers.get(last)!;
    peer.delete(text);
    if (peer.size === 0) this.#peers.delete(last);
  }
}

function parts(text: string): [string, string] {
  const slash = text.lastIndexOf("/");
  return [text.slice(0, slash), text.slice(slash + 1)];
}

function at<V>(map: Map<string, V>, key: string, make: () => V): V {
  const there = map.get(key) ?? make();
  map.set(key, there);
  return there;
}
