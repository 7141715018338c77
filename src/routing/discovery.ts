/**
 * What a site's DNS says of who serves it: its trackers, TXT records `tracker=https://…` at `_nethood.<site>`, and its seeders,
 * TXT records `dnsaddr=/ip4/…/p2p/…` at `_dnsaddr.<site>` (the dnsaddr specification of multiaddr). It is looked up with the
 * DNSLink, so that to open a site is enough to find its swarm.
 */
import type { Libp2p } from "@libp2p/interface";
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr";
import type { CID } from "multiformats/cid";
import { parseAddress, parseKey } from "../content/address.ts";
import type { TxtResolver } from "../name/dns.ts";
import type { Value } from "../name/value.ts";

/** How much longer than the DNSLink this may take, in milliseconds: a site without these records must not open later. */
const LONGER_MS = 300;

/** Records of each kind that are looked at, most. */
const MAX_RECORDS = 8;

/** How long a seeder may take to answer, in milliseconds. */
const DIAL_MS = 5_000;

type Options = { signal?: AbortSignal | undefined };
type Lookup = (name: string, options?: Options) => Promise<Value>;

/** The same lookup of DNSLinks, which looks for trackers and seeders of the site beside it. */
export function withDiscovery(
  dnsLink: Lookup,
  txt: TxtResolver,
  { named, libp2p }: {
    named(site: string, trackers: string[], key: CID | undefined): void;
    libp2p: Pick<Libp2p, "dial" | "logger">;
  },
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
    void seeders.then((addresses) => addresses.forEach(dial));
    const timer = setTimeout(() => over.abort(), LONGER_MS);
    named(site, await trackers, keyOf(value));
    clearTimeout(timer);
    return value;
  };

  /** What the records say; nothing where they cannot be had, since a site opens without them. */
  async function texts(name: string, prefix: string, signal: AbortSignal): Promise<string[]> {
    try {
      const records = await txt(name, { signal });
      return records.filter(({ data }) => data.startsWith(prefix)).slice(0, MAX_RECORDS)
        .map(({ data }) => data.slice(prefix.length).trim());
    } catch (error) {
      libp2p.logger.forComponent("nethood:discovery")("%s: %e", name, error);
      return [];
    }
  }

  async function dial(text: string): Promise<void> {
    try {
      await libp2p.dial(seeder(text), { signal: AbortSignal.timeout(DIAL_MS) });
    } catch (error) {
      libp2p.logger.forComponent("nethood:discovery")("%s: %e", text, error);
    }
  }
}

/** An address with a peer ID in it: of one without nobody could say that it is the right one. */
function seeder(text: string): Multiaddr {
  const address = multiaddr(text);
  if (address.getComponents().some(({ name }) => name === "p2p")) return address;
  throw new Error("the address has no peer ID");
}

function keyOf({ value }: Value): CID | undefined {
  const { namespace, root } = parseAddress(value);
  return namespace === "ipns" ? parseKey(root) : undefined;
}
