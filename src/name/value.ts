/** What a name may point to, in a DNSLink as in an IPNS record: `/ipfs/<cid>/path` or `/ipns/<name>/path`, and nothing else. */
import { parseAddress } from "../content/address.ts";
import { NethoodError } from "../errors.ts";

/** What a name means, one step on. */
export interface Value {
  /** `/ipfs/<cid>/path` or `/ipns/<name>/path`. */
  value: string;
  /** For how long it may be used, in whole seconds. */
  ttl: number;
}

/** Whoever wrote it is a stranger: a web address, a key without its namespace or a path that climbs is no value. */
export function isValue(text: string): boolean {
  if (!/^\/ip[fn]s\/[^/]/.test(text)) return false;
  try {
    parseAddress(text);
    return true;
  } catch (error) {
    if (error instanceof NethoodError) return false;
    throw error;
  }
}
