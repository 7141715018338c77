/** What a publisher puts into the DNS. */

/** The TXT record that leads a site's name to its key, in zone-file form. @param ttl in seconds */
export function dnsLinkLine(site: string, key: string, ttl: number): string {
  return `_dnslink.${site}. ${ttl} IN TXT "dnslink=/ipns/${key}"`;
}
