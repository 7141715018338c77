/** The newest signed IPNS record of each key this node published or followed, to be handed to whoever asks for it. */
import type { Records } from "./records.ts";

export interface IpnsRecords {
  /** @param key the key as a base36 CID */
  get(key: string): Uint8Array | undefined;
  put(key: string, record: Uint8Array): void;
  /** How many there are. */
  count(): number;
}

export function createIpnsRecords(records: Pick<Records, "get" | "run">): IpnsRecords {
  return {
    get: (key) =>
      records.get<{ record: Uint8Array }>("SELECT record FROM ipns WHERE key = ?", key)?.record,
    put: (key, record) => records.run("INSERT OR REPLACE INTO ipns VALUES (?, ?)", key, record),
    count: () => records.get<{ n: number }>("SELECT count(*) AS n FROM ipns")!.n,
  };
}
