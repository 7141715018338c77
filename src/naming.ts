/** What a node knows of names: how they are looked up, kept, signed again, and told to others. */
import { peerIdFromString } from "@libp2p/peer-id";
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import type { Follower } from "./follower.ts";
import { createNames, type Names } from "./name/ipns.ts";
import { readRecord } from "./name/record.ts";
import { createRepublisher } from "./name/republish.ts";
import { createResolver, type Resolver } from "./name/resolve.ts";
import type { Value } from "./name/value.ts";
import type { Dht } from "./routing/dht.ts";
import { createHerald, type Herald } from "./routing/herald.ts";
import type { Neighbours } from "./routing/neighbours.ts";
import { createPush, type Push } from "./routing/push.ts";
import { createRecordRouting } from "./routing/records.ts";
import type { Trackers } from "./routing/trackers.ts";
import { createIpnsRecords } from "./store/ipns.ts";
import type { Records } from "./store/records.ts";
import type { Guard } from "./swarm/guard.ts";
import type { NetworkedHelia } from "./swarm/helia.ts";

export interface Naming extends AsyncDisposable {
  names: Names;
  resolver: Resolver;
  push: Push;
  herald: Herald;
}

export function createNaming(
  { helia, guard, records, neighbours, trackers, dht, announce, dnsLink, follower, log }: {
    helia: NetworkedHelia;
    guard: Pick<Guard, "ban">;
    records: Records;
    neighbours: Neighbours;
    trackers: Pick<Trackers, "knowing">;
    dht: Dht | undefined;
    /** Whether the DHT is told of records. */
    announce: boolean;
    dnsLink: (site: string, options?: { signal?: AbortSignal | undefined }) => Promise<Value>;
    /** Who follows sites, as soon as there is somebody. */
    follower(): Follower | undefined;
    log: (line: string) => void;
  },
): Naming {
  const { libp2p, keychain } = helia;
  const store = createIpnsRecords(records);
  const routing = createRecordRouting(
    libp2p,
    neighbours,
    store,
    keychain,
    { others: trackers.knowing, last: dht, hear: (key, bytes) => names.hear(key, bytes) },
  );
  const names = createNames(helia, routing, store, {
    log,
    onChange(key) {
      resolver.forget(key);
      follower()?.heard(key);
    },
    onWaiting: (key) => follower()?.heard(key),
    hold: (key, record, inForce) => follower()?.holds(key, record, inForce) ?? false,
    onSigned: (key, { bytes }) => herald.signed(key, bytes),
    onOwn(key) {
      push.subscribe(key);
      herald.keep(key);
    },
  });
  const push = createPush(libp2p, {
    hear: names.hear,
    met: (key) => follower()?.met(key),
    ban: (peer, why) => guard.ban(peerIdFromString(String(peer)), why),
  });
  const herald = createHerald({
    push,
    trackers: (key) => [...trackers.knowing(key), ...dht && announce ? [dht] : []],
    record: inForce,
    log,
  });
  const resolver = createResolver({ dnsLink, ipns: names.resolve, records });
  const republisher = createRepublisher(names.renew, { log });

  return {
    names,
    resolver,
    push,
    herald,
    async [Symbol.asyncDispose]() {
      await republisher.stop();
      resolver.stop();
      push.stop();
      await herald.stop();
    },
  };

  function inForce(key: CID): Uint8Array | undefined {
    const bytes = store.get(key.toString(base36));
    return bytes && readRecord(bytes).expires > Date.now() ? bytes : undefined;
  }
}
