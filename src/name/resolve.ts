/**
 * From an address to a CID and a path: the only place where names are followed, one after the other, until one is immutable.
 * The shortest TTL of the chain counts, and paths are appended at every step.
 */
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { type Address, formatAddress, parseAddress } from "../content/address.ts";
import { NethoodError } from "../errors.ts";
import { excerpt } from "../printable.ts";
import { createMeanings, type MeaningOptions } from "./meaning.ts";

/** Most names in one chain (dnslink-gateway specification, "hard recursion limit"). */
const MAX_NAMES = 32;

export interface Resolved {
  cid: CID;
  path: string[];
  /** Seconds for which the answer may be used; undefined where the address is immutable. */
  ttl: number | undefined;
  /** Every address on the way, the first one included. */
  chain: string[];
  /** True where a name could not be looked up now, and what it last meant is used. */
  stale: boolean;
}

export interface Resolver {
  /** @throws {NethoodError} NO_DNSLINK, DNS_UNREACHABLE, IPNS_NOT_FOUND, IPNS_INVALID, NAME_LOOP, BAD_ADDRESS, STOPPED */
  resolve(
    address: Address,
    options?: { signal?: AbortSignal | undefined; local?: boolean | undefined },
  ): Promise<Resolved>;
  /** Looks a key up again when it is asked for next: a newer record of it has come. */
  forget(key: CID): void;
  /** Ends all lookups. */
  stop(): void;
}

export function createResolver(options: MeaningOptions): Resolver {
  const meanings = createMeanings(options);
  return {
    async resolve(address, options = {}) {
      const chain = [formatAddress(address)];
      const names = new Set<string>();
      let ttl: number | undefined;
      let stale = false;
      while (address.namespace === "ipns") {
        if (names.has(address.root) || names.size === MAX_NAMES) throw loop(chain, names);
        names.add(address.root);
        const meaning = await meanings.of(address.root, options);
        stale ||= meaning.stale;
        ttl = Math.min(ttl ?? Infinity, meaning.ttl);
        const next = parseAddress(meaning.value);
        address = { ...next, path: [...next.path, ...address.path] };
        chain.push(formatAddress(address));
      }
      return { cid: CID.parse(address.root), path: address.path, ttl, chain, stale };
    },
    forget: (key) => meanings.forget(key.toString(base36)),
    stop: meanings.stop,
  };
}

function loop(chain: string[], names: Set<string>): NethoodError {
  const first = excerpt(chain[0]!);
  return new NethoodError(
    "NAME_LOOP",
    names.size < MAX_NAMES
      ? `${first} leads nowhere: its names point at each other in a circle.`
      : `${first} leads through more than ${MAX_NAMES} names.`,
    { hint: "Its publisher has to mend a DNSLink or IPNS record on the way." },
  );
}
