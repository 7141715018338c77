/**
 * Publishes official versions of a site: a folder becomes a tree, the tree is pinned, a signed version names it, and a signed
 * record names the version.
 */
import { existsSync, realpathSync } from "node:fs";
import { relative, sep } from "node:path";
import type { PrivateKey } from "@helia/interface";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { parseAddress, parseName } from "./content/address.ts";
import type { FolderItem } from "./content/folder.ts";
import { gather } from "./content/gather.ts";
import { findPin, pinEach } from "./content/pin.ts";
import { pinTree } from "./content/pin-tree.ts";
import { type Added, addFolder, type AddOptions } from "./content/write.ts";
import { NethoodError } from "./errors.ts";
import { isFresh, LIFETIME_MS, type OwnKey, TTL_MS } from "./name/ipns.ts";
import { labelOf } from "./name/keyring.ts";
import type { VersionLink } from "./name/record.ts";
import { dnsLinkLine } from "./name/zone.ts";
import type { Node } from "./node.ts";
import { findSecrets, SEARCH } from "./secrets.ts";
import { countChanges, type Counts } from "./site/diff.ts";
import { createSites } from "./site/sites.ts";
import { checkNote, readVersion, signVersion } from "./site/version.ts";

/** How long others are asked whether another machine has published with the same key, in milliseconds; meanwhile it hashes. */
const HEAR_MS = 1_500;

/** How long it may take to count what changed, in milliseconds: the version before may be another machine's, and far. */
const COUNT_MS = 5_000;

/** How long a record can be valid at all, in milliseconds: a hundred years are as good as more, and have a date. */
const MAX_LIFETIME_MS = 100 * 365 * 24 * 60 * 60 * 1000;

/** A longer TTL is shortened by every reader, in milliseconds: a week. */
const MAX_TTL_MS = 7 * 24 * 60 * 60 * 1000;

export interface ReleaseOptions {
  /** What the version's publisher has to say about it, at most 1 KiB. Default: nothing. */
  note?: string | undefined;
  /**
   * How long the site can be found without its publisher, in milliseconds, counted from the last signature; a node that runs
   * signs once a day. Below four hours it may be too late with that. Default: 30 days.
   */
  lifetime?: number | undefined;
  /** How long readers may use what they know without asking again, in milliseconds. Default: 60,000. */
  ttl?: number | undefined;
  /** Makes a version also of what is published already. Default: false. */
  again?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

export interface PublishOptions extends Omit<AddOptions, "known">, ReleaseOptions {
  /** The site's DNS name, such as `docs.example.org`. Each name has a key of its own, made at its first publication. */
  name: string;
  signal?: AbortSignal | undefined;
}

/** A version that is out. */
export interface Release {
  /** The root of the tree. */
  cid: CID;
  /** The site's DNS name. */
  site: string;
  /** The IPNS key, as a base36 CID. It stays the same over all versions. */
  key: string;
  /** The TXT record for the publisher's DNS, in zone-file form. It is set once: later versions need no change there. */
  dnslink: string;
  /** The version's number, from 1, and the CID of its block. */
  version: VersionLink;
  /** True where the newest version was this already, so that none was made. */
  unchanged: boolean;
  /** Files that differ from the version before; undefined where there is none, or it is not to be had. */
  changes: Counts | undefined;
}

export interface Published extends Added, Release {
  cid: CID;
  /** Files that hold a private key, though none of this node's: a publisher should know. */
  secrets: string[];
}

export interface Seeder {
  /**
   * Publishes a folder. Until this returns, readers see the version before: the record is signed last.
   *
   * @throws {NethoodError} BAD_SITE, SITE_CHANGED, BAD_OPTION, BAD_ADDRESS for the name, DISK_FULL
   */
  publish(dir: string, options: PublishOptions): Promise<Published>;
  /**
   * Publishes an old version again, as a new one: readers never go back to a lower number. TTL and lifetime are as they were,
   * unless told otherwise.
   *
   * @throws {NethoodError} NO_VERSION, NO_KEY, VERSION_INVALID, VERSION_MISSING, NO_PROVIDERS, BAD_OPTION, BAD_ADDRESS, DISK_FULL
   */
  rollback(name: string, number: number, options?: ReleaseOptions): Promise<Release>;
}

export function createSeeder(
  node: Pick<Node, "dir" | "helia" | "blocks" | "names" | "shares" | "known" | "resolve">,
): Seeder {
  const { helia, blocks, names } = node;
  const sites = createSites(node);

  return {
    async publish(dir, options) {
      const site = siteOf(options.name);
      checkRelease(options);
      refuseOwnFolder(node.dir, dir, options);
      const known = (how: string) => node.known(site.name, `${how} ${SEARCH}`);
      let secrets: string[] = [];
      const check = async (items: readonly FolderItem[]) => {
        const { told, found } = await findSecrets(node, items, options);
        secrets = told;
        return found;
      };
      const adding = addFolder(helia.blockstore, dir, { ...options, known, check });
      const [added, since] = await Promise.all([adding, hear(site.label, options)]);
      await pinTree(helia, blocks, added.cid, `/ipns/${site.name}`, { ...options, since });
      return { ...added, secrets, ...await release(site, added.cid, options) };
    },
    async rollback(name, number, options = {}) {
      const site = siteOf(name);
      checkRelease(options);
      if (await names.own(site.label, options) === undefined) throw notOurs(site.name);
      const { root } = await sites.version(site.name, number, options);
      // A version that another machine published may be here in parts.
      if ((await findPin(helia, root))?.depth !== Infinity) {
        for await (const _ of gather(blocks, root, options)) options.signal?.throwIfAborted();
      }
      await pinTree(helia, blocks, root, `/ipns/${site.name}`, options);
      const told = { ...options, note: options.note ?? `rollback to ${number}` };
      return await release(site, root, told, (own) => ({
        ttl: own.record && own.record.ttl * 1000,
        lifetime: own.lifetime,
      }));
    },
  };

  async function release(
    site: Name,
    cid: CID,
    options: ReleaseOptions,
    defaults: (own: OwnKey) => Pick<ReleaseOptions, "ttl" | "lifetime"> = () => ({}),
  ): Promise<Release> {
    const { again = false, signal } = options;
    const value = `/ipfs/${cid.toV1()}`;
    let before: CID | undefined;
    let made: VersionLink | undefined;
    const { key, record } = await names.update(site.label, async (own) => {
      const { record, newest } = own;
      const usual = defaults(own);
      const ttl = Math.floor((options.ttl ?? usual.ttl ?? TTL_MS) / 1000);
      const lifetime = options.lifetime ?? usual.lifetime;
      const there = record?.version && record.value === value && record.number === newest?.number;
      if (there && !again) {
        made = undefined;
        if (record.ttl === ttl && isFresh(record, { lifetime })) return undefined;
        return { value, ttl, lifetime, version: newest };
      }
      before = newest?.cid;
      made = await write(own, site, cid, options);
      return { value, ttl, lifetime, version: made };
    }, { signal });
    const name = key.toString(base36);
    node.shares.note({
      keys: [`/ipns/${site.name}`, `/ipns/${name}`, cid.toString()],
      site: site.name,
      whole: true,
      chosen: true,
    });
    return {
      cid,
      site: site.name,
      key: name,
      dnslink: dnsLinkLine(site.name, name, TTL_MS / 1000),
      version: made ?? { cid: record!.version!, number: record!.number! },
      unchanged: made === undefined,
      changes: made && before && await changesSince(before, key, cid, signal),
    };
  }

  /** Writes the version that follows the newest one, and keeps it. */
  async function write(
    { key, newest }: Pick<OwnKey, "newest"> & { key: PrivateKey },
    site: Name,
    root: CID,
    { note = "", signal }: ReleaseOptions,
  ): Promise<VersionLink> {
    const number = (newest?.number ?? 0) + 1;
    const previous = newest?.cid ?? null;
    const { cid, block } = await signVersion(key, {
      number,
      previous,
      root,
      time: Date.now(),
      note,
    });
    await helia.blockstore.put(cid, block);
    await pinEach(helia, blocks, [cid], `/ipns/${site.name}`, { signal });
    return { cid, number };
  }

  /**
   * Hears of what another machine with the same key has published, so that it is not answered with a fork.
   *
   * @returns what the site is until now, as far as anybody told in time
   */
  async function hear(label: string, { signal }: PublishOptions): Promise<CID | undefined> {
    const key = await names.own(label);
    if (key === undefined) return undefined;
    const late = AbortSignal.timeout(HEAR_MS);
    const own = signal ? AbortSignal.any([late, signal]) : late;
    const record = await names.record(key, { signal: own }).catch(() => undefined); // Nobody need have heard of it.
    const address = record && parseAddress(record.value);
    return address?.namespace === "ipfs" ? CID.parse(address.root) : undefined;
  }

  async function changesSince(
    before: CID,
    key: CID,
    root: CID,
    own: AbortSignal | undefined,
  ): Promise<Counts | undefined> {
    const late = AbortSignal.timeout(COUNT_MS);
    const signal = own ? AbortSignal.any([late, own]) : late;
    try {
      const block = await blocks.get(before, { signal });
      const version = await readVersion(before, block, { key, keychain: helia.keychain });
      return await countChanges(blocks, version.root, root, { signal });
    } catch {
      return undefined; // It is out, and only what it changed cannot be told.
    }
  }
}

interface Name {
  name: string;
  /** Also the label of its key: by itself, a name such as con.example.org is not one that keys can have. */
  label: string;
}

function siteOf(text: string): Name {
  const name = parseName(text);
  return { name, label: parseName(labelOf(name)) };
}

function notOurs(site: string): NethoodError {
  return new NethoodError("NO_KEY", `This node has no key of ${site}, so it cannot publish it.`, {
    hint: "Name the publisher's folder with --dir, or import its key here.",
  });
}

function checkRelease({ note = "", lifetime = LIFETIME_MS, ttl = TTL_MS }: ReleaseOptions): void {
  checkNote(note);
  if (!(lifetime >= 1_000 && lifetime <= MAX_LIFETIME_MS)) {
    throw badTime("lifetime", lifetime, "a second", "a hundred years");
  }
  if (!(ttl >= 0 && ttl <= MAX_TTL_MS)) throw badTime("TTL", ttl, "0", "a week");
}

function badTime(what: string, ms: number, least: string, most: string): NethoodError {
  return new NethoodError("BAD_OPTION", `A ${what} of ${ms} ms is none.`, {
    hint: `It is from ${least} to ${most}.`,
  });
}

/** The node's folder holds its private keys: a site that contains it would publish them. */
function refuseOwnFolder(own: string, dir: string, { hidden = false }: PublishOptions): void {
  if (!existsSync(dir)) return; // The scan says it better.
  const steps = relative(realpathSync(dir), realpathSync(own)).split(sep);
  if (steps[0] === "..") return;
  if (!hidden && steps.some((step) => step.startsWith("."))) return;
  throw new NethoodError("BAD_SITE", `${dir} contains ${own}, where this node's keys are kept.`, {
    hint: "Keep the node's folder outside the site, with --dir.",
  });
}
