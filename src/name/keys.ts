/** What a site is found by: its DNS name, its IPNS key, its root. */
import { CID } from "multiformats/cid";
import { parseAddress, parseKey } from "../content/address.ts";
import type { Resolved } from "./resolve.ts";

export interface SiteKeys {
  /** The DNS name; undefined where the address had none. */
  site: string | undefined;
  /** The IPNS key and the root, as far as the address had them. */
  cids: CID[];
  /** All of them, as a tracker is told: `/ipns/docs.example.org`, `/ipns/k51…`, `bafy…`. */
  keys: string[];
}

/** From what an address led through. */
export function keysOf({ chain }: Pick<Resolved, "chain">): SiteKeys {
  let site: string | undefined;
  const cids: CID[] = [];
  const keys: string[] = [];
  for (const { namespace, root } of chain.map((address) => parseAddress(address))) {
    const cid = namespace === "ipns" ? parseKey(root) : CID.parse(root);
    if (cid !== undefined) cids.push(cid);
    else site ??= root;
    keys.push(namespace === "ipns" ? `/ipns/${root}` : root);
  }
  return { site, cids, keys };
}
