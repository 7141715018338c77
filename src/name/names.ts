/** What can be done with IPNS names. */
import type { PrivateKey } from "@helia/interface";
import type { CID } from "multiformats/cid";
import type { SeenVersion } from "../store/versions.ts";
import type { IpnsRecord, VersionLink } from "./record.ts";
import type { Value } from "./value.ts";

/** With `local` nobody is asked. */
export type Options = { signal?: AbortSignal | undefined; local?: boolean | undefined };

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

/** What a record is to say. */
export interface Claim {
  /** `/ipfs/<cid>` or `/ipns/<name>`. */
  value: string;
  /** The version that it announces. Default: none. */
  version?: VersionLink | undefined;
  /** For how long readers may use it without asking again, in seconds. Default: 60. */
  ttl?: number | undefined;
  /** For how long it is valid, in milliseconds; it is signed again in time. Default: 30 days. */
  lifetime?: number | undefined;
}

/** A key of ours, and what is known of it here. */
export interface OwnKey {
  key: PrivateKey;
  name: CID;
  /** The record in force. */
  record: IpnsRecord | undefined;
  /** The version with the highest number that was ever seen; of a fork the one that is in force. */
  newest: VersionLink | undefined;
  /** For how long its records were signed last, in milliseconds. */
  lifetime: number;
}

export interface Names {
  /** How many times a newer record came into force since the start: what was made of older ones is then to be made anew. */
  readonly changes: number;
  /** What the newest record of a key says, here or at a neighbour's. @throws {NethoodError} IPNS_NOT_FOUND, IPNS_INVALID */
  resolve(key: CID, options?: Options): Promise<Value>;
  /** The newest record of a key, here or at a neighbour's. @throws {NethoodError} as resolve */
  record(key: CID, options?: Options): Promise<IpnsRecord>;
  /** Takes a record in, if it is valid and newer than what is here. @throws {NethoodError} IPNS_REFUSED, IPNS_FULL */
  put(key: CID, bytes: Uint8Array): Promise<void>;
  /**
   * The same of one that came by itself.
   *
   * @returns whether it is newer than all that was heard of
   * @throws {Error} for one that is not valid
   */
  hear(key: CID, bytes: Uint8Array): Promise<boolean>;
  /** The newest record that is held back ({@link NamesOptions.hold}). */
  waiting(key: CID): IpnsRecord | undefined;
  /** Puts one in force that was held back. */
  settle(key: CID, record: IpnsRecord): void;
  /** Signs and stores a record under the key of that label, which is made where it does not exist; returns the key. */
  publish(label: string, value: CID, options?: Options): Promise<CID>;
  /**
   * Leads the readers of one key on to another: the second gets a record with what `begin` makes of the first's, and the last
   * record of the first its name.
   * The second key is made where it does not exist. No other record is signed before `settle` has ended.
   *
   * @throws {NethoodError} IPNS_NOT_FOUND where the first key has no record
   */
  rotate(
    from: string,
    to: string,
    steps: {
      begin: (own: OwnKey, last: IpnsRecord) => Promise<Claim>;
      settle: (keys: Rotation) => Promise<void>;
    },
    options?: Options,
  ): Promise<Rotation>;
  /**
   * Signs and stores what `make` makes of what is known, one after the other, so that nobody else signs in between. It is
   * called again where a record of the key came from elsewhere meanwhile.
   *
   * @param make undefined where what is in force may stay
   * @returns the key, and its record; undefined where there is none yet
   */
  update(
    label: string,
    make: (own: OwnKey) => Promise<Claim | undefined>,
    options?: Options,
  ): Promise<{ key: CID; record: IpnsRecord | undefined }>;
  /** The key of that label, where there is one. */
  own(label: string, options?: Options): Promise<CID | undefined>;
  /** The versions of a key that were seen, the highest number first; two of one number are a fork. */
  seen(key: CID): SeenVersion[];
  /** Signs those of our own records again that are a day old: the same value, a higher sequence, the whole lifetime. */
  renew(options?: Options): Promise<void>;
}

/** Two keys, of which the first leads to the second. */
export interface Rotation {
  from: CID;
  to: CID;
}

export interface NamesOptions {
  /** Milliseconds since 1970. Default: the clock. */
  now?: () => number;
  /** Keys whose records may be handed in, most. Default: 10,000. */
  maxKeys?: number;
  /** Told where two versions have one number. Default: silence. */
  log?: (line: string) => void;
  /** Told of each key of which a newer record is in force, published here or come from elsewhere. Default: nobody. */
  onChange?: (key: CID) => void;
  /** Told of each record that was signed here. Default: nobody. */
  onSigned?: (key: CID, record: IpnsRecord) => void;
  /** Told of each key of ours that has a record, at the start and whenever the records are looked at. Default: nobody. */
  onOwn?: (key: CID) => void;
  /** Whether a newer record has to wait, because what it leads to is not here yet. Default: no. */
  hold?: (key: CID, record: IpnsRecord, inForce: IpnsRecord) => boolean;
  /** Told of each key of which a newer record waits. Default: nobody. */
  onWaiting?: (key: CID) => void;
}
