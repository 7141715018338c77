/**
 * DNSLink: what a domain name means, as its owner wrote it into the DNS (https://dnslink.dev): a TXT record
 * `dnslink=/ipfs/<cid>/path` or `dnslink=/ipns/<name>/path` at `_dnslink.<name>`.
 */
import { parseName } from "../content/address.ts";
import { NethoodError } from "../errors.ts";
import type { TxtResolver } from "./dns.ts";
import { isValue, type Value } from "./value.ts";

const PREFIX = "dnslink=";

type Options = { signal?: AbortSignal | undefined };

/**
 * A lookup of DNSLinks. `_dnslink.<name>` is asked; the name itself only where there is no `dnslink=` record. Of several
 * records the first in alphabetical order counts, so that all readers agree; those that are no address are ignored.
 *
 * @returns a function that throws {NethoodError} NO_DNSLINK, DNS_UNREACHABLE or BAD_ADDRESS
 */
export function createDnsLink(
  txt: TxtResolver,
): (name: string, options?: Options) => Promise<Value> {
  return async (name, options = {}) => {
    const domain = parseName(name);
    for (const owner of [`_dnslink.${domain}`, domain]) {
      const records = (await txt(owner, options)).filter(({ data }) => data.startsWith(PREFIX));
      if (records.length === 0) continue;
      const chosen = choose(records);
      // A broken record at the prefixed name is still the publisher's word: an older one at the bare name would be no better.
      if (chosen === undefined) break;
      return chosen;
    }
    throw noDnsLink(domain);
  };
}

/** The first in code unit order: "/ipfs/" comes before "/ipns/", and all readers choose the same. */
function choose(records: { data: string; ttl: number }[]): Value | undefined {
  return records.map(({ data, ttl }) => ({ value: data.slice(PREFIX.length).trimEnd(), ttl }))
    .filter(({ value }) => isValue(value))
    .sort((a, b) => a.value < b.value ? -1 : a.value > b.value ? 1 : a.ttl - b.ttl)[0];
}

function noDnsLink(domain: string): NethoodError {
  return new NethoodError(
    "NO_DNSLINK",
    `${domain} has no DNSLink: no TXT record at _dnslink.${domain} (or at ${domain}) leads to content.`,
    {
      hint: "Readers: check the spelling. Publishers: add the TXT record " +
        `_dnslink.${domain} with the text dnslink=/ipfs/<cid> or dnslink=/ipns/<name>.`,
    },
  );
}
