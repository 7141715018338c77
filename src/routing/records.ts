/**
 * IPNS records from neighbours, over libp2p's Fetch protocol: what the IPNS-over-PubSub specification uses for late joiners
 * (specs.ipfs.tech/ipns/ipns-pubsub-router). Each record is checked when it comes, so a lie is only a failed answer.
 */
import type { Helia } from "@helia/interface";
import { multihashFromIPNSRoutingKey, multihashToIPNSRoutingKey } from "@helia/ipns";
import type { Fetch } from "@libp2p/fetch";
import type { Libp2p, PeerId } from "@libp2p/interface";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { LIBP2P_KEY } from "../content/address.ts";
import type { RecordRouting } from "../name/ipns.ts";
import { checkRecord, type IpnsRecord } from "../name/record.ts";
import { createPauses } from "../pause.ts";
import type { IpnsRecords } from "../store/ipns.ts";
import type { Neighbours } from "./neighbours.ts";

/** How long one neighbour may take to answer, in milliseconds. */
const ANSWER_MS = 3_000;

/** After the first valid record, how long the others may still bring a newer one. */
const GRACE_MS = 200;

/**
 * How long to wait for a first neighbour where there is none yet, in milliseconds. Where there is a record already, the shorter
 * time, and only for one who is on the way.
 */
const ARRIVAL_MS = 3_000, HURRY_MS = 500;

/** How long the others are alone in looking for a record, before the last is asked, and how long that one has, in milliseconds. */
const LAST_MS = 500, LAST_ANSWER_MS = 15_000;

/** Somebody else who may know a record, such as a tracker. */
export interface RecordSource {
  /** Whether it took long the last time: then nobody waits for it who has a valid record. */
  readonly slow?: boolean;
  /** The record, unchecked; undefined, or a failure, where there is none. */
  record(key: CID, options: { signal: AbortSignal }): Promise<Uint8Array | undefined>;
}

export interface RecordRoutingOptions {
  /** Who may know a key's record beside the neighbours. Default: nobody. */
  others?: (key: CID) => RecordSource[];
  /** Who is asked when nobody else answers, and in the background where there is a valid record already: the DHT. */
  last?: RecordSource | undefined;
  /** Takes a record that came in the background. */
  hear: (key: CID, record: Uint8Array) => Promise<unknown>;
}

/**
 * Asks neighbours for records, and hands those in the store to whoever asks for them. Expired ones too: who gets one
 * learns that the publisher has been away for long, instead of nothing.
 */
export function createRecordRouting(
  libp2p: Libp2p<{ fetch: Fetch }>,
  neighbours: Pick<Neighbours, "some">,
  store: IpnsRecords,
  keychain: Helia["keychain"],
  { others = () => [], last, hear }: RecordRoutingOptions,
): RecordRouting {
  const { fetch } = libp2p.services;
  /** Names that each source is asked for in the background. */
  const asking = new WeakMap<RecordSource, Set<string>>();
  // deno-lint-ignore require-await -- a key that is none has to be a rejection
  fetch.registerLookupFunction("/ipns/", async (key) => store.get(nameOf(key)));

  return {
    async find(key, { signal, hurry = false } = {}) {
      const records: IpnsRecord[] = [];
      const refused: Error[] = [];
      const over = new AbortController();
      const until = AbortSignal.any([over.signal, ...signal ? [signal] : []]);
      const enough = Promise.withResolvers<void>();
      let grace: ReturnType<typeof setTimeout> | undefined;
      const take = async (asking: Promise<Uint8Array | undefined>) => {
        const bytes = await asking;
        if (bytes === undefined) return;
        try {
          records.push(await checkRecord(key, bytes, keychain));
          grace ??= setTimeout(enough.resolve, GRACE_MS);
        } catch (error) {
          refused.push(error as Error);
        }
      };
      const patience = () => AbortSignal.any([until, AbortSignal.timeout(ANSWER_MS)]);
      const askNeighbours = async () => {
        const wait = hurry ? HURRY_MS : ARRIVAL_MS;
        await neighbours.some(wait, { signal: until, expected: hurry });
        const limit = patience();
        await Promise.allSettled(libp2p.getPeers().map((peer) => take(ask(peer, key, limit))));
      };
      const askLast = async (last: RecordSource) => {
        await createPauses(until).pause(LAST_MS);
        until.throwIfAborted();
        const limit = AbortSignal.any([until, AbortSignal.timeout(LAST_ANSWER_MS)]);
        await take(last.record(key, { signal: limit }));
      };
      const limit = patience();
      const tries = [askNeighbours()];
      for (const source of others(key)) {
        if (hurry && source.slow) void inBackground(source, key);
        else tries.push(take(source.record(key, { signal: limit })));
      }
      if (last && hurry) void inBackground(last, key);
      else if (last) tries.push(askLast(last));
      // One neighbour's silence is nothing as long as another answers.
      await Promise.race([Promise.allSettled(tries), enough.promise]);
      clearTimeout(grace);
      over.abort();
      signal?.throwIfAborted();
      return { records, refused };
    },
  };

  async function inBackground(source: RecordSource, key: CID): Promise<void> {
    const name = key.toString(base36);
    const names = asking.get(source) ?? new Set();
    if (names.has(name)) return;
    asking.set(source, names.add(name));
    try {
      const bytes = await source.record(key, { signal: AbortSignal.timeout(LAST_ANSWER_MS) });
      if (bytes !== undefined) await hear(key, bytes);
    } catch {
      // What is known stays in force; this is one source among others.
    } finally {
      names.delete(name);
    }
  }

  function ask(peer: PeerId, key: CID, signal: AbortSignal): Promise<Uint8Array | undefined> {
    return fetch.fetch(peer, multihashToIPNSRoutingKey(key.multihash), { signal });
  }
}

function nameOf(routingKey: Uint8Array): string {
  return CID.createV1(LIBP2P_KEY, multihashFromIPNSRoutingKey(routingKey)).toString(base36);
}
