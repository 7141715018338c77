/**
 * IPNS records from neighbours, over libp2p's Fetch protocol: what the IPNS-over-PubSub specification uses for late joiners
 * (specs.ipfs.tech/ipns/ipns-pubsub-router). Each record is checked before it is compared, so a lie is only a failed answer.
 */
import {
  IPNSEntry,
  type IPNSRouting,
  ipnsSelector,
  ipnsValidator,
  multihashFromIPNSRoutingKey,
} from "@helia/ipns";
import type { Helia } from "@helia/interface";
import type { Fetch } from "@libp2p/fetch";
import type { Libp2p, PeerId } from "@libp2p/interface";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { LIBP2P_KEY } from "../content/address.ts";
import type { IpnsRecords } from "../store/ipns.ts";
import type { Neighbours } from "./neighbours.ts";

/** How long one neighbour may take to answer, in milliseconds. */
const ANSWER_MS = 3_000;

/** After the first valid record, how long the others may still bring a newer one. */
const GRACE_MS = 200;

/** How long to wait for a first neighbour where there is none yet. */
const ARRIVAL_MS = 3_000;

/** Largest record (specification: ipns-record, "Record Size Limit"). */
const MAX_RECORD_BYTES = 10 * 1024;

export function createRecordRouting(
  libp2p: Libp2p<{ fetch: Fetch }>,
  neighbours: Pick<Neighbours, "some">,
  records: IpnsRecords,
  keychain: Helia["keychain"],
): IPNSRouting {
  const { fetch } = libp2p.services;
  fetch.registerLookupFunction("/ipns/", (key) => Promise.resolve(records.get(nameOf(key))));

  return {
    // A record that was signed anew is handed out like any other: when a neighbour asks.
    put: (key, record) => Promise.resolve(records.put(nameOf(key), record)),

    async get(key, { signal } = {}) {
      if (!await neighbours.some(ARRIVAL_MS, signal)) throw new Error("no neighbour is connected");
      const found = await collect(libp2p.getPeers().map((peer) => ask(peer, key, signal)));
      const newest = found[ipnsSelector(key, found)];
      if (newest === undefined) throw new Error("no neighbour has a valid record");
      return IPNSEntry.encode(newest) as Uint8Array<ArrayBuffer>;
    },
  };

  async function ask(peer: PeerId, key: Uint8Array, signal?: AbortSignal): Promise<IPNSEntry> {
    const limit = AbortSignal.timeout(ANSWER_MS);
    const answer = await fetch.fetch(peer, key, {
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
    if (answer === undefined) throw new Error(`${peer} does not have the record`);
    if (answer.byteLength > MAX_RECORD_BYTES) {
      throw new Error(`${peer} sent a record of ${answer.byteLength} bytes`);
    }
    return ipnsValidator(key, answer, keychain);
  }
}

/** What succeeds, until all have ended or the grace after the first success is over. */
function collect<T>(tries: Promise<T>[]): Promise<T[]> {
  const found: T[] = [];
  const { promise, resolve } = Promise.withResolvers<T[]>();
  let grace: ReturnType<typeof setTimeout> | undefined;
  for (const attempt of tries) {
    attempt.then((value) => {
      found.push(value);
      grace ??= setTimeout(resolve, GRACE_MS, found);
    }, () => undefined); // One neighbour's failure is nothing as long as another answers.
  }
  void Promise.allSettled(tries).then(() => {
    clearTimeout(grace);
    resolve(found);
  });
  return promise;
}

function nameOf(routingKey: Uint8Array): string {
  return CID.createV1(LIBP2P_KEY, multihashFromIPNSRoutingKey(routingKey)).toString(base36);
}
