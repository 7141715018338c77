/** IPNS records that are handed to a tracker, and handed on by it: checked when they come, the newest one kept. */
import type { Helia } from "@helia/interface";
import { publicKeyFromProtobuf } from "@libp2p/crypto/keys";
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import { admitRecord, type IpnsRecord, readRecord, replaces } from "../name/record.ts";
import type { TrackerStore } from "./store.ts";

/** Records that are kept, most: a gigabyte, were each as large as a record may be. */
const MAX_RECORDS = 100_000;

/** For how long the number of records is believed, in milliseconds: counting them takes time. */
const COUNTED_MS = 10_000;

/** Records are checked with what reads keys, and need nothing else of a keychain. */
const KEYCHAIN = {
  // deno-lint-ignore require-await -- what fails is a rejection
  loadPublicKeyFromProtobuf: async (bytes: Uint8Array) => publicKeyFromProtobuf(bytes),
} as unknown as Helia["keychain"];

export interface TrackerNames {
  /** The newest record of a key that was handed in. @throws {NethoodError} IPNS_NOT_FOUND, IPNS_INVALID */
  record(key: CID): Promise<IpnsRecord>;
  /** Takes a record in, if it is valid and newer than what is here. @throws {NethoodError} IPNS_REFUSED, IPNS_FULL */
  put(key: CID, bytes: Uint8Array): Promise<void>;
}

export function createTrackerNames(
  store: Pick<TrackerStore, "getRecord" | "putRecord" | "stats">,
  now: () => number,
): TrackerNames {
  let records = 0, countedAt = -Infinity;

  return {
    async record(key) {
      const name = key.toString(base36);
      const bytes = await store.getRecord(name);
      if (bytes === undefined) {
        throw new NethoodError("IPNS_NOT_FOUND", `This tracker has no IPNS record of ${name}.`, {
          hint: "Its publisher has to hand it in, or somebody who follows it.",
        });
      }
      const record = readRecord(bytes);
      if (record.expires > now()) return record;
      throw new NethoodError("IPNS_INVALID", `The IPNS record of ${name} has expired.`, {
        hint: "Its publisher has to sign it again.",
      });
    },
    async put(key, bytes) {
      const name = key.toString(base36);
      const record = await admitRecord(key, bytes, KEYCHAIN);
      for (;;) {
        const before = await store.getRecord(name);
        if (before === undefined && await isFull()) {
          throw new NethoodError("IPNS_FULL", "This tracker has as many records as it keeps.", {
            hint: "Hand the record to another one.",
          });
        }
        if (!replaces(record, before && readRecord(before))) return;
        if (await store.putRecord(name, record.bytes, before)) return;
        // Another one came between: it is compared with that.
      }
    },
  };

  async function isFull(): Promise<boolean> {
    if (now() - countedAt > COUNTED_MS) {
      ({ records } = await store.stats());
      countedAt = now();
    }
    return records >= MAX_RECORDS;
  }
}
