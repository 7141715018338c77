/** Sites by their names: whose key it is, which versions there are, and what differs between two of them. */
import type { Helia } from "@helia/interface";
import { CID } from "multiformats/cid";
import { type Address, formatAddress, parseAddress, parseKey } from "../content/address.ts";
import { type Blocks, localOnly } from "../content/blocks.ts";
import { claimedSize } from "../content/whole.ts";
import { NethoodError } from "../errors.ts";
import type { Names } from "../name/ipns.ts";
import type { IpnsRecord, VersionLink } from "../name/record.ts";
import { excerpt } from "../printable.ts";
import { type Change, diff } from "./diff.ts";
import { history, type ListedVersion } from "./history.ts";
import { readVersion, type Version } from "./version.ts";

/** How long the size of a version's tree is waited for, in milliseconds: it is nice to have, and its root may be nowhere. */
const SIZE_MS = 2_000;

/** How long a version is waited for that was seen beside the chain, in milliseconds. */
const BESIDE_MS = 3_000;

/** What is needed of a node. */
export interface SitesNode {
  readonly blocks: Blocks;
  readonly names: Pick<Names, "own" | "record" | "seen">;
  readonly helia: { readonly keychain: Pick<Helia["keychain"], "loadPublicKeyFromProtobuf"> };
  resolve(address: Address, options?: Options): Promise<{ chain: string[] }>;
}

type Options = { signal?: AbortSignal | undefined };

export interface Site {
  /** The IPNS key. */
  key: CID;
  /** Its record in force. */
  record: IpnsRecord;
  /** The newest version; undefined where there is none. */
  head: VersionLink | undefined;
}

/** A line of a site's log. */
export interface LoggedVersion extends VersionLink {
  /** What it says; undefined for one beside the chain that nobody has. */
  version: Version | undefined;
  /** Bytes of its tree, as its root claims; undefined where the root is not to be had. */
  size: number | undefined;
  /** Whether another version has the same number. */
  fork: boolean;
  /** Whether it was seen, but the chain from the newest version does not lead to it. */
  beside: boolean;
}

export interface Sites {
  /** @throws {NethoodError} as `node.resolve`; NO_VERSION for a name that leads to no key */
  find(name: string, options?: Options): Promise<Site>;
  /**
   * The versions, the newest first; what came before a fault is told, then it is thrown.
   *
   * @param options.limit most of them. Default: 10,000
   * @throws {NethoodError} as find; NO_VERSION, VERSION_INVALID, VERSION_MISSING
   */
  log(name: string, options?: Options & { limit?: number }): AsyncGenerator<LoggedVersion>;
  /** @throws {NethoodError} as log; NO_VERSION for a number that there is not */
  version(name: string, number: number, options?: Options): Promise<ListedVersion>;
  /** The files that differ between two versions. @throws {NethoodError} as version; NO_PROVIDERS, BAD_BLOCK */
  diff(name: string, from: number, to: number, options?: Options): AsyncGenerator<Change>;
}

/** Looks into the versions of sites, a node's own and anybody's. */
export function createSites({ blocks, names, helia: { keychain }, resolve }: SitesNode): Sites {
  return {
    find,
    async *log(name, { limit, signal } = {}) {
      const { key, head } = await find(name, { signal });
      if (head === undefined) throw noVersions(name);
      const seen = names.seen(key);
      const asked = { others: true };
      let passed = false;
      let above = Infinity;
      const walk = history(blocks, head, { key, keychain, limit, signal });
      for await (const { cid, ...version } of walk) {
        const { number } = version;
        // Those of a fork that went further than the chain come first.
        const others = seen.filter((other) =>
          (passed ? other.number === number : other.number >= number) && other.number < above &&
          other.cid !== cid.toString()
        );
        passed = true;
        above = number;
        const fork = others.some((other) => other.number === number);
        const size = await sizeOf(version.root, asked, signal);
        yield { cid, number, version, size, fork, beside: false };
        for (const other of others) yield await beside(key, other, asked, signal);
      }
    },
    version,
    async *diff(name, from, to, options) {
      const [one, other] = await Promise.all(
        [from, to].map((number) => version(name, number, options)),
      );
      yield* diff(blocks, one!.root, other!.root, options);
    },
  };

  async function find(name: string, options: Options = {}): Promise<Site> {
    const key = await keyOf(name, options);
    const record = await names.record(key, options);
    const [seen] = names.seen(key);
    const { version: cid, number } = record;
    // Whoever publishes by other means keeps no versions: then the newest is the last that was seen.
    const head = cid && number
      ? { cid, number }
      : seen && { cid: CID.parse(seen.cid), number: seen.number };
    return { key, record, head };
  }

  async function keyOf(name: string, options: Options): Promise<CID> {
    const address = parseAddress(name);
    if (address.namespace === "ipns") {
      const direct = parseKey(address.root);
      if (direct) return direct;
      const own = await ownKey(address.root, options);
      if (own) return own;
    }
    const { chain } = await resolve({ ...address, path: [] }, options);
    for (const step of chain.reverse()) {
      const { namespace, root } = parseAddress(step);
      const key = namespace === "ipns" ? parseKey(root) : undefined;
      if (key) return key;
    }
    throw new NethoodError(
      "NO_VERSION",
      `${
        excerpt(formatAddress(address))
      } leads to content directly: there is no key that could sign versions.`,
      { hint: "Its publisher can have versions by publishing it with seed." },
    );
  }

  /** A site of ours needs no DNS. */
  async function ownKey(site: string, options: Options): Promise<CID | undefined> {
    return await names.own(`_dnslink.${site}`, options);
  }

  async function version(
    name: string,
    number: number,
    { signal }: Options = {},
  ): Promise<ListedVersion> {
    const { key, head } = await find(name, { signal });
    if (head === undefined) throw noVersions(name);
    if (number >= 1 && number <= head.number) {
      for await (const version of history(blocks, head, { key, keychain, signal })) {
        if (version.number === number) return version;
      }
    }
    throw new NethoodError("NO_VERSION", `There is no version ${number} of ${excerpt(name)}.`, {
      hint: `Its newest version is ${head.number}.`,
    });
  }

  /** A version that the chain does not lead to; it may be gone. */
  async function beside(
    key: CID,
    seen: { cid: string; number: number },
    asked: { others: boolean },
    signal: AbortSignal | undefined,
  ): Promise<LoggedVersion> {
    const cid = CID.parse(seen.cid);
    const version = await nice(BESIDE_MS, signal, async (signal) => {
      return await readVersion(cid, await blocks.get(cid, { signal }), { key, keychain });
    });
    const size = version && await sizeOf(version.root, asked, signal);
    return { cid, number: seen.number, version, size, fork: true, beside: true };
  }

  /** @param asked whether others are asked; after one that they did not have, they are not asked for the rest */
  async function sizeOf(
    root: CID,
    asked: { others: boolean },
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const from = asked.others ? blocks : localOnly(blocks);
    const block = await nice(SIZE_MS, signal, (signal) => from.get(root, { signal }));
    if (block === undefined) asked.others = false;
    return block && (claimedSize(root, block) ?? block.byteLength);
  }
}

/** What can be had in time; undefined where it cannot, which is no failure of the whole. */
async function nice<T>(
  ms: number,
  own: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const late = AbortSignal.timeout(ms);
  try {
    return await work(own ? AbortSignal.any([own, late]) : late);
  } catch (error) {
    own?.throwIfAborted();
    if (late.aborted || error instanceof NethoodError && error.code !== "STOPPED") return undefined;
    throw error;
  }
}

function noVersions(name: string): NethoodError {
  return new NethoodError("NO_VERSION", `The site ${excerpt(name)} keeps no versions.`, {
    hint: "Its publisher can have them by publishing it with seed.",
  });
}
