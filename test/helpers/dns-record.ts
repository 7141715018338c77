/** One name with one TXT record: all that most tests of the DNS need. */
import type { TxtRecord } from "../../src/name/dns.ts";
import type { Zone } from "./dns-server.ts";

export const NAME = "_dnslink.docs.example.org";
export const RECORD: TxtRecord = { data: "dnslink=/ipfs/bafkqaaa", ttl: 77 };
export const ZONE: Zone = { [NAME]: { txt: [RECORD.data], ttl: RECORD.ttl } };

/** Milliseconds a try takes at a server that says nothing: short, so that tests are. */
export const SHORT = { timeout: 100 };
