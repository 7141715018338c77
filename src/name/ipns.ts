/** IPNS: a key's signed record, found here or at a neighbour's, and published under a key of ours. */
import type { Helia } from "@helia/interface";
import { type IPNS, ipns, IPNSEntry, type IPNSRouting } from "@helia/ipns";
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import { NethoodError } from "../errors.ts";
import type { IpnsRecords } from "../store/ipns.ts";

/** How long a published record is valid: long enough that readers can keep a site alive while its seeder is away. */
export const LIFETIME_MS: number = 30 * 24 * 60 * 60 * 1000;

/** How long a reader may use a record before asking again. */
export const TTL_MS: number = 60 * 1000;

/** Used where a record does not say (specification: ipns-record, "TTL"). */
const DEFAULT_TTL_S = 300;

export interface IpnsValue {
  /** What the key points to: `/ipfs/<cid>/…` or `/ipns/<name>/…`. */
  value: string;
  /** Seconds for which the answer may be used. */
  ttl: number;
}

export interface Names {
  resolve(key: CID, options?: { signal?: AbortSignal | undefined }): Promise<IpnsValue>;
  /** Signs and stores a record under the key of that label, which is made where it does not exist; returns the key. */
  publish(label: string, value: CID, options?: { signal?: AbortSignal | undefined }): Promise<CID>;
}

export function createNames(helia: Helia, routers: IPNSRouting[], records: IpnsRecords): Names {
  const names: IPNS = ipns(helia, { routers });
  return {
    async resolve(key, options = {}) {
      try {
        for await (const { record, value } of names.resolve(key, withSignal(options.signal))) {
          records.put(key.toString(base36), IPNSEntry.encode(record));
          // The first step only: what an IPNS name points to is resolved where every other name is.
          return {
            value,
            ttl: record.ttl === undefined ? DEFAULT_TTL_S : Number(record.ttl / 1_000_000_000n),
          };
        }
      } catch (cause) {
        options.signal?.throwIfAborted();
        throw explain(key, cause);
      }
      throw explain(key);
    },
    async publish(label, value, options = {}) {
      // Stored here and handed to whoever asks; there is no public record store to push it to.
      const { publicKey, record } = await names.publish(label, value, {
        lifetime: LIFETIME_MS,
        ttl: TTL_MS,
        offline: true,
        ...withSignal(options.signal),
      });
      const key = publicKey.toCID() as CID;
      records.put(key.toString(base36), IPNSEntry.encode(record));
      return key;
    },
  };
}

function explain(key: CID, cause?: unknown): NethoodError {
  const invalid = cause instanceof Error && cause.name === "RecordsFailedValidationError";
  return new NethoodError(
    invalid ? "IPNS_INVALID" : "IPNS_NOT_FOUND",
    invalid
      ? `The IPNS record of ${key} is expired or not signed by its key.`
      : `No neighbour has the IPNS record of ${key}.`,
    {
      cause,
      hint: "Check that somebody who has the site is reachable (--peer), or try again later.",
    },
  );
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
