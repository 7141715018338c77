/** The newest signed IPNS record of each key this node published or followed, to be handed to whoever asks for it. */
import type { Records } from "./records.ts";
import { createVersions, type Versions } from "./versions.ts";

export interface IpnsRecords {
  /** @param key the key as a base36 CID, as in all of these */
  get(key: string): Uint8Array | undefined;
  put(key: string, record: Uint8Array): void;
  /** How many there are. */
  count(): number;
  /** How long a record of ours is valid when it is signed, in milliseconds, if the publisher ever said so. */
  lifetime(key: string): number | undefined;
  setLifetime(key: string, ms: number): void;
  /** The versions that records announced. */
  readonly versions: Versions;
}

export function createIpnsRecords(records: Pick<Records, "get" | "all" | "run">): IpnsRecords {
  return {
    get: (key) =>
      records.get<{ record: Uint8Array }>("SELECT record FROM ipns WHERE key = ?", key)?.record,
    put: (key, record) => records.run("INSERT OR REPLACE INTO ipns VALUES (?, ?)", key, record),
    count: () => records.get<{ n: number }>("SELECT count(*) AS n FROM ipns")!.n,
    lifetime: (key) =>
      records.get<{ ms: number }>("SELECT ms FROM lifetimes WHERE key = ?", key)?.ms,
    setLifetime: (key, ms) =>
      records.run("INSERT OR REPLACE INTO lifetimes VALUES (?, ?)", key, ms),
    versions: createVersions(records),
  };
}
