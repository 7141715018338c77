/** Host names: which are this gateway's own, and which are sites. No name is looked up here. */
import { NethoodError } from "../src/errors.ts";

/** The name that every machine has for itself, with its subdomains (RFC 6761, section 6.3). */
export const LOCALHOST = "localhost";

/**
 * Names that the public DNS does not have (RFC 6762, section 3 and appendix G; RFC 8375) and that routers hand out: who comes
 * under one of them means this machine, and nobody's name server is to hear of it.
 */
const LAN =
  /^[a-z0-9_-]+$|^[a-z0-9_.-]+\.(?:local|localdomain|lan|home|home\.arpa|internal|intranet|private|corp)$/;

/** What a host name is to this gateway. */
export type Place =
  /** An IP address, or this machine's name in its own network: sites are paths. */
  | { kind: "machine" }
  /** A name of this gateway: paths lead to its subdomains. */
  | { kind: "gateway" }
  /** A subdomain that is a site, such as `docs-example-org` in `ipns` of `localhost`. */
  | { kind: "origin"; gateway: string; namespace: "ipfs" | "ipns"; label: string }
  /** Another subdomain of `localhost`, which no name server knows either. */
  | { kind: "nowhere" }
  /** Any other name: a site, if it has a DNSLink. */
  | { kind: "site" };

/** @param name in lower case, without port and final dot */
export type Hosts = (name: string) => Place;

/**
 * @param names host names of this gateway beside `localhost`
 * @throws {NethoodError} BAD_OPTION
 */
export function createHosts(names: string[] = []): Hosts {
  const own = [LOCALHOST, ...names.map(parseHost)];
  return (name) => {
    if (own.includes(name)) return { kind: "gateway" };
    for (const gateway of own) {
      if (!name.endsWith(`.${gateway}`)) continue;
      const origin = /^(.+)\.(ipfs|ipns)$/.exec(name.slice(0, -gateway.length - 1));
      if (origin) {
        const [, label, namespace] = origin;
        return { kind: "origin", gateway, namespace: namespace as "ipfs" | "ipns", label: label! };
      }
    }
    if (name.endsWith(`.${LOCALHOST}`)) return { kind: "nowhere" };
    return { kind: isAddress(name) || LAN.test(name) ? "machine" : "site" };
  };
}

function isAddress(name: string): boolean {
  return name.startsWith("[") || /^[\d.]+$/.test(name);
}

/** A host name as browsers send it; a port that was written to it is not part of it. */
function parseHost(text: string): string {
  const url = /[\s/\\?#@%[\]]/.test(text) ? null : URL.parse(`http://${text}`);
  const name = url?.hostname.replace(/\.$/, "") ?? "";
  const valid = name.length <= 253 && !isAddress(name) &&
    name.split(".").every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label));
  if (valid) return name;
  throw new NethoodError("BAD_OPTION", `"${text.slice(0, 80)}" is not a host name.`, {
    hint: "Write the gateway's host as gateway.example.com: it needs subdomains, so no IP address.",
  });
}
