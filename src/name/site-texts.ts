/** What a site says of itself in the DNS, name by name. */
import { foldName } from "./dns-message.ts";
import type { OwnTexts } from "./dns-update.ts";

export interface SiteFacts {
  /** The site's IPNS key, as a base36 CID. */
  key: string;
  /** URLs of trackers; none: those that were named go. Default: whatever is there stays. */
  trackers?: string[];
  /** Multiaddrs of peers that hold the site (the dnsaddr specification). Default: whatever is there stays. */
  peers?: string[];
}

/** @param site such as `docs.example.org` */
export function siteTexts(site: string, { key, trackers, peers }: SiteFacts): OwnTexts[] {
  const name = foldName(site);
  return [
    // First the ways to those who have it: whoever reads the link at once can follow them.
    ...(trackers ? [own(`_nethood.${name}`, "tracker=", trackers)] : []),
    ...(peers ? [own(`_dnsaddr.${name}`, "dnsaddr=", peers)] : []),
    own(`_dnslink.${name}`, "dnslink=", [`/ipns/${key}`]),
  ];
}

function own(name: string, prefix: string, values: string[]): OwnTexts {
  return { name, prefix, texts: values.map((value) => `${prefix}${value}`) };
}
