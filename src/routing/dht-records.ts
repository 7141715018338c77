/**
 * Which IPNS records go through the DHT: those that are valid by the same rules as everywhere, and not older than what is known.
 * The DHT's own library would replace a record by whatever came last.
 */
import { multihashFromIPNSRoutingKey } from "@helia/ipns";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { LIBP2P_KEY } from "../content/address.ts";
import { type IpnsRecord, readRecord, replaces } from "../name/record.ts";

/** Keys whose newest record is remembered, most. */
const MAX_KEYS = 2_000;

export interface DhtRecords {
  /** @throws {Error} for a record that is not valid, or older than what is known */
  validate(routingKey: Uint8Array, record: Uint8Array): Promise<void>;
  /** Which of some records that were validated is the newest. */
  select(routingKey: Uint8Array, records: Uint8Array[]): number;
}

export function createDhtRecords(
  { check, known }: {
    /** @throws {Error} for one that is not valid */
    check(key: CID, record: Uint8Array): Promise<IpnsRecord>;
    /** What this node knows by itself. */
    known(key: CID): Uint8Array | undefined;
  },
): DhtRecords {
  /** Seen in the DHT. */
  const newest = new Map<string, IpnsRecord>();
  return {
    async validate(routingKey, bytes) {
      const key = keyOf(routingKey);
      const name = key.toString(base36);
      const record = await check(key, bytes);
      const own = known(key);
      for (const other of [own && readRecord(own), newest.get(name)]) {
        if (other && replaces(other, record)) throw new Error("a newer record is known");
      }
      newest.delete(name); // to be the last again
      newest.set(name, record);
      if (newest.size > MAX_KEYS) newest.delete(newest.keys().next().value!);
    },
    select: (_, records) => newestOf(records),
  };
}

/** The place of the newest of some valid records. */
export function newestOf(records: Uint8Array[]): number {
  const read = records.map(readRecord);
  return read.reduce((best, record, i) => replaces(record, read[best]!) ? i : best, 0);
}

/** The key that a routing key stands for. */
export function keyOf(routingKey: Uint8Array): CID {
  return CID.createV1(LIBP2P_KEY, multihashFromIPNSRoutingKey(routingKey));
}
