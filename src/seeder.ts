/** Publishes official versions of a site: a folder becomes a tree, the tree is pinned, and a signed record names it. */
import { realpath } from "node:fs/promises";
import { relative, sep } from "node:path";
import { base36 } from "multiformats/bases/base36";
import type { CID } from "multiformats/cid";
import { parseName } from "./content/address.ts";
import { pinTree } from "./content/pin-tree.ts";
import { type Added, addFolder, type AddOptions } from "./content/write.ts";
import { TTL_MS } from "./name/ipns.ts";
import { NethoodError } from "./errors.ts";
import type { Node } from "./node.ts";

export interface PublishOptions extends Omit<AddOptions, "known"> {
  /** The site's DNS name, such as `docs.example.org`. Each name has a key of its own, made at its first publication. */
  name: string;
}

/** A version that is out. */
export interface Published extends Added {
  /** The root of the tree. */
  cid: CID;
  /** The site's DNS name. */
  site: string;
  /** The IPNS key, as a base36 CID. It stays the same over all versions. */
  key: string;
  /** The TXT record for the publisher's DNS, in zone-file form. It is set once: later versions need no change there. */
  dnslink: string;
}

export interface Seeder {
  /**
   * Publishes a folder. Until this returns, readers see the version before: the record is signed last.
   *
   * @throws {NethoodError} BAD_SITE, SITE_CHANGED, BAD_ADDRESS for the name, DISK_FULL
   */
  publish(dir: string, options: PublishOptions): Promise<Published>;
}

export function createSeeder(
  node: Pick<Node, "dir" | "helia" | "blocks" | "names" | "known">,
): Seeder {
  const { helia, blocks, names } = node;
  return {
    async publish(dir, options) {
      const site = parseName(options.name);
      // Also the label of its key: by itself, a name such as con.example.org is not one that keys can have.
      const record = parseName(`_dnslink.${site}`);
      await refuseOwnFolder(node.dir, dir, options);
      const known = (how: string) => node.known(site, how);
      const added = await addFolder(helia.blockstore, dir, { ...options, known });
      await pinTree(helia, blocks, added.cid, `/ipns/${site}`, options);
      const key = (await names.publish(record, added.cid, options)).toString(base36);
      const dnslink = `${record}. ${TTL_MS / 1000} IN TXT "dnslink=/ipns/${key}"`;
      return { ...added, site, key, dnslink };
    },
  };
}

/** The node's folder holds its private keys: a site that contains it would publish them. */
async function refuseOwnFolder(
  own: string,
  dir: string,
  { hidden = false }: PublishOptions,
): Promise<void> {
  const site = await realpath(dir).catch(() => undefined); // The scan says it better.
  if (site === undefined) return;
  const steps = relative(site, await realpath(own)).split(sep);
  if (steps[0] === "..") return;
  if (!hidden && steps.some((step) => step.startsWith("."))) return;
  throw new NethoodError("BAD_SITE", `${dir} contains ${own}, where this node's keys are kept.`, {
    hint: "Keep the node's folder outside the site, with --dir.",
  });
}
