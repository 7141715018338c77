/** The record in force of each key, as far as it is known here, and what was seen of the versions that records announce. */
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import type { IpnsRecords } from "../store/ipns.ts";
import { type IpnsRecord, readRecord, replaces, type VersionLink } from "./record.ts";

/** Keys of which it is remembered that their sequences are ahead elsewhere, most. */
const MAX_AHEAD = 1_000;

export interface Kept {
  get(key: CID): IpnsRecord | undefined;
  /** Compares and stores in one go, so that what was published meanwhile is not overwritten; whether it was stored. */
  take(key: CID, record: IpnsRecord): boolean;
  /** The version with the highest number that was ever seen; of a fork the one in force. */
  newest(key: CID): VersionLink | undefined;
  /** The highest sequence heard of; 0 where there is none. */
  lastSequence(key: CID): bigint;
}

/**
 * @param options.log told once of each two versions that have one number
 * @param options.onChange told of each key whose record was replaced
 */
export function createKept(
  store: IpnsRecords,
  { now, log, onChange }: {
    now: () => number;
    log: (line: string) => void;
    onChange: (key: CID) => void;
  },
): Kept {
  /** Sequences of records that were not taken, above the one in force: who goes by sequences alone has those. */
  const ahead = new Map<string, bigint>();

  return {
    get,
    take(key, record) {
      const name = key.toString(base36);
      const before = get(key);
      const newer = replaces(record, before, store.versions.newest(name)?.number);
      if (newer) store.put(name, record.bytes);
      else if (record.sequence > (ahead.get(name) ?? before?.sequence ?? 0n)) {
        if (ahead.size >= MAX_AHEAD) ahead.clear();
        ahead.set(name, record.sequence);
      }
      note(name, record);
      if (newer) onChange(key);
      return newer;
    },
    newest(key) {
      const { version, number } = get(key) ?? {};
      const seen = store.versions.newest(key.toString(base36));
      if (version && number && number >= (seen?.number ?? 0)) return { cid: version, number };
      return seen && { cid: CID.parse(seen.cid), number: seen.number };
    },
    lastSequence(key) {
      const [here, elsewhere] = [get(key)?.sequence ?? 0n, ahead.get(key.toString(base36)) ?? 0n];
      return here > elsewhere ? here : elsewhere;
    },
  };

  function get(key: CID): IpnsRecord | undefined {
    const bytes = store.get(key.toString(base36));
    return bytes && readRecord(bytes);
  }

  function note(name: string, { version, number }: IpnsRecord): void {
    if (version === undefined || number === undefined) return;
    const seen = store.versions.see(name, { number, cid: version.toString(), seen: now() });
    if (seen !== "fork") return;
    log(
      `There are two versions ${number} of the site ${name}: two machines publish with its key. ` +
        `"site log" shows both, and the next version follows both.`,
    );
  }
}
