/**
 * What a site's DNS says of who serves it: its trackers, TXT records `tracker=https://…` at `_nethood.<site>`, and its seeders,
 * TXT records `dnsaddr=/ip4/…/p2p/…` at `_dnsaddr.<site>` (the dnsaddr specification of multiaddr). It is looked up with the
 * DNSLink, so that to open a site is enough to find its swarm.
 */
import type { CID } from "multiformats/cid";
import { parseAddress, parseKey } from "../content/address.ts";
import type { TxtResolver } from "../name/dns.ts";
import type { Value } from "../name/value.ts";

/** How much longer than the DNSLink this may take, in milliseconds: a site without these records must not open later. */
const LONGER_MS = 300;

/** Records of each kind that are looked at, most. */
const MAX_RECORDS = 8;

type Options = { signal?: AbortSignal | undefined };
type Lookup = (name: string, options?: Options) => Promise<Value>;

/** What a site's DNS says. */
export interface Named {
  /** URLs, unchecked, as all of it. */
  trackers: string[];
  /** Multiaddrs. */
  seeders: string[];
  /** The IPNS key that the name stands for, if it is one. */
  key: CID | undefined;
}

/** The same lookup of DNSLinks, which looks for trackers and seeders of the site beside it. */
export function withDiscovery(
  dnsLink: Lookup,
  txt: TxtResolver,
  named: (site: string, found: Named) => void,
): Lookup {
  return async (site, options = {}) => {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, ...options.signal ? [options.signal] : []]);
    const trackers = texts(`_nethood.${site}`, "tracker=", signal);
    const seeders = texts(`_dnsaddr.${site}`, "dnsaddr=", signal);
    let value: Value;
    try {
      value = await dnsLink(site, options);
    } catch (error) {
      over.abort();
      throw error;
    }
    const timer = setTimeout(() => over.abort(), LONGER_MS);
    named(site, { trackers: await trackers, seeders: await seeders, key: keyOf(value) });
    clearTimeout(timer);
    return value;
  };

  /** What the records say; nothing where they cannot be had, since a site opens without them. */
  async function texts(name: string, prefix: string, signal: AbortSignal): Promise<string[]> {
    try {
      const records = await txt(name, { signal });
      return records.filter(({ data }) => data.startsWith(prefix)).slice(0, MAX_RECORDS)
        .map(({ data }) => data.slice(prefix.length).trim());
    } catch {
      return []; // A site without trackers, or with a name server that does not answer: it is read all the same.
    }
  }
}

function keyOf({ value }: Value): CID | undefined {
  const { namespace, root } = parseAddress(value);
  return namespace === "ipns" ? parseKey(root) : undefined;
}
