/** What a client wants of the records: the filters of IPIP-484. */

/** The `peer` schema of the specification. */
export interface PeerRecord {
  Schema: "peer";
  ID: string;
  /** Multiaddrs, without the peer's ID at their end. */
  Addrs: string[];
  Protocols: string[];
}

/** Stands for "no address is known", or "no protocol is". */
const UNKNOWN = "unknown";

/**
 * @param addrs `filter-addrs`: names of protocols in an address, any of which is wanted; those behind a `!` are not
 * @param protocols `filter-protocols`: any of which is wanted
 */
export function filterRecords(
  records: PeerRecord[],
  { addrs, protocols }: { addrs: string | undefined; protocols: string | undefined },
): PeerRecord[] {
  const wantedProtocols = words(protocols);
  const addresses = words(addrs);
  const unwanted = addresses.filter((word) => word.startsWith("!")).map((word) => word.slice(1));
  const wanted = addresses.filter((word) => !word.startsWith("!") && word !== UNKNOWN);
  // Who asks for "unknown" alone wants no address that is known.
  const any = wanted.length === 0 && !addresses.includes(UNKNOWN);
  return records.flatMap((record) => {
    if (!speaksOne(record, wantedProtocols)) return [];
    if (addresses.length === 0) return [record];
    if (record.Addrs.length === 0) return addresses.includes(UNKNOWN) ? [record] : [];
    const Addrs = record.Addrs.filter((address) => {
      const parts = address.toLowerCase().split("/");
      const has = (word: string) => parts.includes(word);
      return !unwanted.some(has) && (wanted.some(has) || any);
    });
    return Addrs.length > 0 ? [{ ...record, Addrs }] : [];
  });
}

function speaksOne({ Protocols }: PeerRecord, wanted: string[]): boolean {
  if (wanted.length === 0) return true;
  if (Protocols.length === 0) return wanted.includes(UNKNOWN);
  return Protocols.some((protocol) => wanted.includes(protocol.toLowerCase()));
}

function words(list = ""): string[] {
  return list.toLowerCase().split(",").map((word) => word.trim()).filter((word) => word !== "");
}
