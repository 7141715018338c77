/** IPNS: a key's signed record, found here or at a neighbour's, and signed anew under a key of ours. */
import type { Helia, PrivateKey } from "@helia/interface";
import { createIPNSRecord, IPNSEntry } from "@helia/ipns";
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import { unlessAborted } from "../abort.ts";
import { NethoodError, notCached, unlessMissing } from "../errors.ts";
import type { IpnsRecords } from "../store/ipns.ts";
import { createKept } from "./kept.ts";
import { explainMissing } from "./missing.ts";
import type { Claim, Names, NamesOptions, Options, OwnKey, RecordRouting } from "./names.ts";
import { admitRecord, checkRecord, type IpnsRecord, readRecord, versionEntries } from "./record.ts";

export type { Claim, Names, NamesOptions, OwnKey, RecordRouting, Rotation } from "./names.ts";

/** How long a signed record is valid: long enough that readers can keep a site alive while its seeder is away. */
export const LIFETIME_MS: number = 30 * 24 * 60 * 60 * 1000;

/** How long a reader may use a record before asking again. */
export const TTL_MS: number = 60 * 1000;

/** A record of ours that is older is signed again: a seeder that dies leaves its readers nearly the whole lifetime. */
const RENEW_MS = 24 * 60 * 60 * 1000;

/** Of a short lifetime, this part may pass before that. */
const RENEW_PART = 0.5;

/** Keys whose records may be handed in, most; with records of the usual size that is 5 MB, and never more than 100. */
const MAX_KEYS = 10_000;

export function createNames(
  { keychain }: Pick<Helia, "keychain">,
  routing: RecordRouting,
  store: IpnsRecords,
  { maxKeys = MAX_KEYS, ...options }: NamesOptions = {},
): Names {
  let signing: Promise<unknown> = Promise.resolve();
  /** Keys by their labels. To open one takes 20 ms, and publishing needs it again and again. */
  const opened = new Map<string, Promise<PrivateKey>>();
  const nobody = () => undefined;
  const { now = Date.now, log = nobody, onChange = nobody, onSigned = nobody } = options;
  const { hold = () => false, onWaiting = nobody, onOwn = nobody } = options;
  let changes = 0;
  const kept = createKept(store, {
    now,
    log,
    hold,
    onWaiting,
    onChange(key) {
      changes++;
      onChange(key);
    },
  });

  return {
    get changes() {
      return changes;
    },
    async resolve(key, options) {
      const { value, ttl } = await record(key, options);
      return { value, ttl };
    },
    record,
    async put(key, bytes) {
      const record = await admitRecord(key, bytes, keychain);
      // What strangers hand in must not fill the disk.
      if (kept.get(key) === undefined && store.count() >= maxKeys) {
        throw new NethoodError("IPNS_FULL", `This node has records of ${maxKeys} keys already.`, {
          hint: "Hand the record to another node.",
        });
      }
      kept.take(key, record);
    },
    async hear(key, bytes) {
      const known = kept.waiting(key) ?? kept.get(key);
      // The same again, which is most of what is heard, costs no check of a signature.
      if (known && isSame(known.bytes, bytes)) return false;
      return kept.take(key, await checkRecord(key, bytes, keychain));
    },
    waiting: kept.waiting,
    settle: kept.settle,
    async publish(label, value, options) {
      const claim = () => Promise.resolve({ value: `/ipfs/${value.toV1()}` });
      return (await update(label, claim, options)).key;
    },
    update,
    own: async (label, { signal } = {}) => {
      const key = await exported(label, signal);
      return key && cidOf(key);
    },
    seen: (key) => store.versions.all(key.toString(base36)),
    rotate: (from, to, { begin, settle }, { signal } = {}) =>
      inTurn(async () => {
        const before = await open(from);
        const last = kept.get(cidOf(before));
        if (last === undefined) throw explainMissing(cidOf(before), undefined, [], now());
        const key = await ownKey(to, signal);
        const lead = `/ipns/${cidOf(key).toString(base36)}`;
        // It leads on already where this was interrupted before it was settled.
        if (last.value !== lead) {
          await sign(key, (own) => begin(own, last), signal);
          const { ttl, version: cid, number } = last;
          const version = cid && number ? { cid, number } : undefined;
          const claim = ({ lifetime }: OwnKey) =>
            Promise.resolve({ value: lead, ttl, lifetime, version });
          await sign(before, claim, signal);
        }
        const keys = { from: cidOf(before), to: cidOf(key) };
        await settle(keys).finally(() => opened.clear()); // The labels are others' now.
        return keys;
      }),
    renew: ({ signal } = {}) =>
      inTurn(async () => {
        for await (const { name } of keychain.listKeys(withSignal(signal))) {
          const key = await open(name);
          const record = await sign(key, (own) => Promise.resolve(renewal(own)), signal);
          if (record) onOwn(cidOf(key));
        }
      }),
  };

  async function record(key: CID, { signal, local }: Options = {}): Promise<IpnsRecord> {
    const here = kept.get(key);
    const hurry = here !== undefined && here.expires > now();
    if (local && !hurry) throw notCached(`A valid record of ${key.toString(base36)}`);
    const { records, refused } = local
      ? { records: [], refused: [] }
      : await routing.find(key, { signal, hurry });
    for (const record of records) kept.take(key, record);
    // Also where a neighbour's is valid and ours, which is newer, is not: nobody is taken back to an older version.
    const newest = kept.get(key);
    const left = newest === undefined ? 0 : newest.expires - now();
    if (newest === undefined || left <= 0) throw explainMissing(key, newest, refused, now());
    return { ...newest, ttl: Math.min(newest.ttl, Math.floor(left / 1000)) };
  }

  /** A key that is there. Only a rotation gives its label to another. */
  function open(label: string): Promise<PrivateKey> {
    let opening = opened.get(label);
    if (opening === undefined) {
      opening = keychain.exportKey(label);
      opened.set(label, opening);
      opening.catch(() => opened.delete(label));
    }
    return opening;
  }

  async function exported(
    label: string,
    signal: AbortSignal | undefined,
  ): Promise<PrivateKey | undefined> {
    return await unlessMissing(unlessAborted(open(label), signal));
  }

  /** It is made where there is none. */
  async function ownKey(label: string, signal: AbortSignal | undefined): Promise<PrivateKey> {
    return await exported(label, signal) ??
      await keychain.generateKey(label, withSignal(signal));
  }

  function update(
    label: string,
    make: (own: OwnKey) => Promise<Claim | undefined>,
    { signal }: Options = {},
  ): ReturnType<Names["update"]> {
    return inTurn(async () => {
      const key = await ownKey(label, signal);
      return { key: cidOf(key), record: await sign(key, make, signal) };
    });
  }

  async function sign(
    key: PrivateKey,
    make: (own: OwnKey) => Promise<Claim | undefined>,
    signal: AbortSignal | undefined,
  ): Promise<IpnsRecord | undefined> {
    const name = cidOf(key);
    const text = name.toString(base36);
    for (;;) {
      const [record, newest] = [kept.get(name), kept.newest(name)];
      const before = store.lifetime(text) ?? LIFETIME_MS;
      const claim = await make({ key, name, record, newest, lifetime: before });
      if (claim === undefined) return record;
      const { value, version, ttl = TTL_MS / 1000, lifetime = LIFETIME_MS } = claim;
      if (version && version.number < (newest?.number ?? 0)) {
        throw new RangeError(`Version ${newest!.number} of ${text} is out already.`);
      }
      const entry = await createIPNSRecord(key, value, kept.lastSequence(name) + 1n, lifetime, {
        ttlNs: BigInt(ttl) * 1_000_000_000n,
        now: now(),
        data: versionEntries(version),
        ...withSignal(signal),
      });
      signal?.throwIfAborted();
      const signed = readRecord(IPNSEntry.encode(entry));
      // Another machine with this key may have been heard of meanwhile: then it is signed above that.
      if (kept.newest(name)?.number !== newest?.number || !kept.take(name, signed, true)) {
        continue;
      }
      if (lifetime !== before) store.setLifetime(text, lifetime);
      onSigned(name, signed);
      return signed;
    }
  }

  /** The same again, where it is time for that. */
  function renewal({ record, newest, lifetime }: OwnKey): Claim | undefined {
    if (record === undefined) return undefined;
    const { value, ttl, version: cid, number } = record;
    if (isFresh(record, { lifetime, now: now() })) return undefined;
    // What is below a version that was seen elsewhere would be refused by everybody.
    if (number !== undefined && number < newest!.number) return undefined;
    return { value, ttl, lifetime, version: cid && number ? { cid, number } : undefined };
  }

  /** One signature after the other: two at once would have the same sequence number. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = signing.then(work);
    signing = turn.catch(() => undefined); // Whoever asked for it gets the failure; the next one has its own turn.
    return turn;
  }
}

/** Whether a record of ours is as good as one that is signed now: a day old at most, or half of a short lifetime. */
export function isFresh(
  { expires }: Pick<IpnsRecord, "expires">,
  { lifetime = LIFETIME_MS, now = Date.now() }: { lifetime?: number | undefined; now?: number } =
    {},
): boolean {
  const age = lifetime - (expires - now);
  // One that is valid for longer was signed for another lifetime, or by a clock that is ahead.
  return Math.abs(age) < Math.min(RENEW_MS, RENEW_PART * lifetime);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, i) => byte === other[i]);
}

function cidOf(key: PrivateKey): CID {
  return key.publicKey.toCID() as CID;
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}
