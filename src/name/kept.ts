/** The record in force of each key, as far as it is known here, and what was seen of the versions that records announce. */
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import type { IpnsRecords } from "../store/ipns.ts";
import { type IpnsRecord, readRecord, replaces, type VersionLink } from "./record.ts";

/** Keys of which it is remembered that their sequences are ahead elsewhere, most. */
const MAX_AHEAD = 1_000;

export interface Kept {
  get(key: CID): IpnsRecord | undefined;
  /**
   * Compares and stores in one go, so that what was published meanwhile is not overwritten; whether it was newer than all that
   * was heard of. One that is held back waits until it is settled.
   *
   * @param ours signed here: then it is in force at once
   */
  take(key: CID, record: IpnsRecord, ours?: boolean): boolean;
  /** The newest record that is held back. */
  waiting(key: CID): IpnsRecord | undefined;
  /** Puts a record in force that was held back, if nothing newer is. */
  settle(key: CID, record: IpnsRecord): void;
  /** The version with the highest number that was ever seen; of a fork the one in force. */
  newest(key: CID): VersionLink | undefined;
  /** The highest sequence heard of; 0 where there is none. */
  lastSequence(key: CID): bigint;
}

/**
 * @param options.log told once of each two versions that have one number
 * @param options.onChange told of each key whose record was replaced
 * @param options.hold whether a newer record is to be held back
 * @param options.onWaiting told of each key of which one is
 */
export function createKept(
  store: IpnsRecords,
  { now, log, onChange, hold, onWaiting }: {
    now: () => number;
    log: (line: string) => void;
    onChange: (key: CID) => void;
    hold: (key: CID, record: IpnsRecord, inForce: IpnsRecord) => boolean;
    onWaiting: (key: CID) => void;
  },
): Kept {
  /** Newer than those in force, by keys; few, since few are held back. */
  const waiting = new Map<string, IpnsRecord>();
  /** Sequences of records that were not taken, above the one in force: who goes by sequences alone has those. */
  const ahead = new Map<string, bigint>();

  return {
    get,
    take(key, record, ours = false) {
      const name = key.toString(base36);
      const inForce = get(key);
      const before = waiting.get(name) ?? inForce;
      const newer = replaces(record, before, store.versions.newest(name)?.number);
      const waits = newer && !ours && inForce !== undefined && hold(key, record, inForce);
      if (waits) waiting.set(name, record);
      else if (newer) {
        waiting.delete(name);
        store.put(name, record.bytes);
      } else if (record.sequence > (ahead.get(name) ?? before?.sequence ?? 0n)) {
        if (ahead.size >= MAX_AHEAD) ahead.clear();
        ahead.set(name, record.sequence);
      }
      note(name, record);
      if (waits) onWaiting(key);
      else if (newer) onChange(key);
      return newer;
    },
    waiting: (key) => waiting.get(key.toString(base36)),
    settle(key, record) {
      const name = key.toString(base36);
      if (waiting.get(name) === record) waiting.delete(name);
      // That a version above it was heard of meanwhile is no reason to stay below it.
      if (!replaces(record, get(key))) return;
      store.put(name, record.bytes);
      onChange(key);
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
