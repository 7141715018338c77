/** IPNS: a key's signed record, found here or at a neighbour's, and signed anew under a key of ours. */
import type { Helia, PrivateKey } from "@helia/interface";
import { createIPNSRecord, IPNSEntry } from "@helia/ipns";
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import { NethoodError, notCached } from "../errors.ts";
import type { IpnsRecords } from "../store/ipns.ts";
import { checkRecord, type IpnsRecord, readRecord, replaces } from "./record.ts";
import type { Value } from "./value.ts";

/** How long a signed record is valid: long enough that readers can keep a site alive while its seeder is away. */
export const LIFETIME_MS: number = 30 * 24 * 60 * 60 * 1000;

/** How long a reader may use a record before asking again. */
export const TTL_MS: number = 60 * 1000;

/** A record of ours that is older is signed again: a seeder that dies leaves its readers nearly the whole lifetime. */
const RENEW_MS = 24 * 60 * 60 * 1000;

/** Keys whose records may be handed in, most; with records of the usual size that is 5 MB, and never more than 100. */
const MAX_KEYS = 10_000;

/** With `local` nobody is asked. */
type Options = { signal?: AbortSignal | undefined; local?: boolean | undefined };

/** Where records are looked for beyond this node. */
export interface RecordRouting {
  /**
   * Records of a key that were checked, and why others were refused.
   *
   * @param options.hurry whether there is a valid record already, so that this is about a newer one
   */
  find(
    key: CID,
    options?: Options & { hurry?: boolean },
  ): Promise<{ records: IpnsRecord[]; refused: Error[] }>;
}

export interface Names {
  /** What the newest record of a key says, here or at a neighbour's. @throws {NethoodError} IPNS_NOT_FOUND, IPNS_INVALID */
  resolve(key: CID, options?: Options): Promise<Value>;
  /** The newest record of a key, here or at a neighbour's. @throws {NethoodError} as resolve */
  record(key: CID, options?: Options): Promise<IpnsRecord>;
  /** Takes a record in, if it is valid and newer than what is here. @throws {NethoodError} IPNS_REFUSED, IPNS_FULL */
  put(key: CID, bytes: Uint8Array): Promise<void>;
  /** Signs and stores a record under the key of that label, which is made where it does not exist; returns the key. */
  publish(label: string, value: CID, options?: Options): Promise<CID>;
  /**
   * Leads the readers of one key on to another: the second gets what the first says, and the last record of the first its name.
   * The second key is made where it does not exist. No other record is signed before `settle` has ended.
   *
   * @throws {NethoodError} IPNS_NOT_FOUND where the first key has no record
   */
  rotate(
    from: string,
    to: string,
    settle: (keys: Rotation) => Promise<void>,
    options?: Options,
  ): Promise<Rotation>;
  /** Signs those of our own records again that are a day old: the same value, a higher sequence, the whole lifetime. */
  renew(options?: Options): Promise<void>;
}

/** Two keys, of which the first leads to the second. */
export interface Rotation {
  from: CID;
  to: CID;
}

export function createNames(
  { keychain }: Pick<Helia, "keychain">,
  routing: RecordRouting,
  store: IpnsRecords,
  { now = Date.now, maxKeys = MAX_KEYS }: { now?: () => number; maxKeys?: number } = {},
): Names {
  let signing: Promise<unknown> = Promise.resolve();

  return {
    async resolve(key, options) {
      const { value, ttl } = await record(key, options);
      return { value, ttl };
    },
    record,
    async put(key, bytes) {
      let record: IpnsRecord;
      try {
        record = await checkRecord(key, bytes, keychain);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new NethoodError("IPNS_REFUSED", `This record of the key is not valid: ${why}.`, {
          cause,
          hint: "Send the record that its publisher signed last.",
        });
      }
      // What strangers hand in must not fill the disk.
      if (stored(key) === undefined && store.count() >= maxKeys) {
        throw new NethoodError("IPNS_FULL", `This node has records of ${maxKeys} keys already.`, {
          hint: "Hand the record to another node.",
        });
      }
      keep(key, record);
    },
    publish: (label, value, { signal } = {}) =>
      inTurn(async () => {
        const key = await ownKey(label, signal);
        await sign(key, `/ipfs/${value.toV1()}`, TTL_MS / 1000, signal);
        return cidOf(key);
      }),
    rotate: (from, to, settle, { signal } = {}) =>
      inTurn(async () => {
        const before = await keychain.exportKey(from, withSignal(signal));
        const last = stored(cidOf(before));
        if (last === undefined) throw explain(cidOf(before), undefined, []);
        const key = await ownKey(to, signal);
        const lead = `/ipns/${cidOf(key).toString(base36)}`;
        // It leads on already where this was interrupted before it was settled.
        if (last.value !== lead) {
          await sign(key, last.value, last.ttl, signal);
          await sign(before, lead, last.ttl, signal);
        }
        const keys = { from: cidOf(before), to: cidOf(key) };
        await settle(keys);
        return keys;
      }),
    renew: ({ signal } = {}) =>
      inTurn(async () => {
        for await (const { name } of keychain.listKeys(withSignal(signal))) {
          const key = await keychain.exportKey(name, withSignal(signal));
          const last = stored(cidOf(key));
          if (last === undefined || last.expires - now() > LIFETIME_MS - RENEW_MS) continue;
          await sign(key, last.value, last.ttl, signal);
        }
      }),
  };

  async function record(key: CID, { signal, local }: Options = {}): Promise<IpnsRecord> {
    const here = stored(key);
    const hurry = here !== undefined && here.expires > now();
    if (local && !hurry) throw notCached(`A valid record of ${key.toString(base36)}`);
    const { records, refused } = local
      ? { records: [], refused: [] }
      : await routing.find(key, { signal, hurry });
    for (const record of records) keep(key, record);
    // Also where a neighbour's is valid and ours, which is newer, is not: nobody is taken back to an older version.
    const newest = stored(key);
    const left = newest === undefined ? 0 : newest.expires - now();
    if (newest === undefined || left <= 0) throw explain(key, newest, refused);
    return { ...newest, ttl: Math.min(newest.ttl, Math.floor(left / 1000)) };
  }

  function stored(key: CID): IpnsRecord | undefined {
    const bytes = store.get(key.toString(base36));
    return bytes && readRecord(bytes);
  }

  /** Compares and stores in one go, so that what was published meanwhile is not overwritten; whether it was stored. */
  function keep(key: CID, record: IpnsRecord): boolean {
    const newer = replaces(record, stored(key));
    if (newer) store.put(key.toString(base36), record.bytes);
    return newer;
  }

  async function ownKey(label: string, signal: AbortSignal | undefined): Promise<PrivateKey> {
    try {
      return await keychain.exportKey(label, withSignal(signal));
    } catch (error) {
      if (!(error instanceof Error && error.name === "NotFoundError")) throw error;
      return await keychain.generateKey(label, withSignal(signal));
    }
  }

  async function sign(
    key: PrivateKey,
    value: string,
    ttl: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const name = cidOf(key);
    for (;;) {
      const sequence = (stored(name)?.sequence ?? 0n) + 1n;
      const entry = await createIPNSRecord(key, value, sequence, LIFETIME_MS, {
        ttlNs: BigInt(ttl) * 1_000_000_000n,
        now: now(),
        ...withSignal(signal),
      });
      signal?.throwIfAborted();
      // Another machine with this key may have been heard of meanwhile: then it is signed above that.
      if (keep(name, readRecord(IPNSEntry.encode(entry)))) return;
    }
  }

  /** One signature after the other: two at once would have the same sequence number. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = signing.then(work);
    signing = turn.catch(() => undefined); // Whoever asked for it gets the failure; the next one has its own turn.
    return turn;
  }
}

function explain(key: CID, newest: IpnsRecord | undefined, refused: Error[]): NethoodError {
  const name = key.toString(base36);
  const cause = refused.length > 0 ? { cause: new AggregateError(refused) } : {};
  if (newest !== undefined || refused.some(({ name }) => name === "RecordExpiredError")) {
    return new NethoodError("IPNS_INVALID", `The IPNS record of ${name} has expired.`, {
      ...cause,
      hint: "Its publisher has to come online and sign it again; then try once more.",
    });
  }
  if (refused.length > 0) {
    return new NethoodError(
      "IPNS_INVALID",
      `No neighbour has a valid IPNS record of ${name}: what they sent is broken, or not signed by its key.`,
      { ...cause, hint: "Connect to somebody else who has the site (--peer), or try again later." },
    );
  }
  return new NethoodError("IPNS_NOT_FOUND", `No neighbour has the IPNS record of ${name}.`, {
    hint: "Check that somebody who has the site is reachable (--peer), or try again later.",
  });
}

function cidOf(key: PrivateKey): CID {
  return key.publicKey.toCID() as CID;
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
