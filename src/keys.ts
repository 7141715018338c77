/** The keys of a publisher's sites: who has one can publish in the site's name, and who has lost it never again. */
import type { KeyObject } from "node:crypto";
import type { PrivateKey } from "@helia/interface";
import { base36 } from "multiformats/bases/base36";
import { CID } from "multiformats/cid";
import { parseAddress, parseName } from "./content/address.ts";
import { pinEach } from "./content/pin.ts";
import { NethoodError, unlessMissing } from "./errors.ts";
import { readKeyFile, toPem, toWords } from "./name/key-file.ts";
import { type Claim, type OwnKey, TTL_MS } from "./name/ipns.ts";
import { labelOf, nextLabel, readLabel, succeed } from "./name/keyring.ts";
import type { IpnsRecord } from "./name/record.ts";
import { fromHelia, isSame, toHelia } from "./name/private-key.ts";
import { dnsLinkLine } from "./name/zone.ts";
import type { Node } from "./node.ts";
import { signVersion } from "./site/version.ts";

type Keys = Pick<Node, "helia" | "names">;

/** With `signal`, and the site's DNS name. */
interface Args {
  name: string;
  signal?: AbortSignal | undefined;
}

/** A site's key, without what is secret of it. */
export interface SiteKey {
  /** The site's DNS name. */
  site: string;
  /** The key's name, as a base36 CID. */
  key: string;
}

/** One of a folder's keys: that a site has now, is to have, or had. */
export interface ListedKey extends SiteKey {
  state: "current" | "next" | "retired";
}

/** @throws {NethoodError} NO_KEY, BAD_ADDRESS for the name */
export async function exportPem(
  node: Keys,
  { passphrase, ...args }: Args & { passphrase?: string | undefined },
): Promise<SiteKey & { pem: string }> {
  const { site, key, own } = await ownKey(node, args);
  const pem = toPem(fromHelia(own), `Nethood: the key of ${site}, /ipns/${key}`, passphrase);
  return { site, key, pem };
}

/** @throws {NethoodError} NO_KEY, BAD_KEY for a key that has no words, BAD_ADDRESS for the name */
export async function exportWords(node: Keys, args: Args): Promise<SiteKey & { words: string }> {
  const { site, key, own } = await ownKey(node, args);
  return { site, key, words: toWords(fromHelia(own)) };
}

/**
 * Makes a key the site's, from a file of any form; `known` where it was the site's already.
 *
 * @throws {NethoodError} BAD_KEY, KEY_EXISTS where the site has another one, BAD_ADDRESS for the name
 */
export async function importKey(
  { helia, names }: Keys,
  { name, file, passphrase, signal }: Args & {
    file: Uint8Array;
    passphrase?: string | undefined;
  },
): Promise<SiteKey & { dnslink: string; known: boolean }> {
  const site = parseName(name);
  const label = parseName(labelOf(site));
  const key = readKeyFile(file, passphrase);
  const own = await toHelia(key, helia);
  const before = await exported(helia, label, signal);
  const known = before !== undefined && isSame(fromHelia(before), key);
  if (before !== undefined && !known) throw exists(site, nameOf(before));
  if (!known) await helia.keychain.importKey(label, own, { ...(signal && { signal }) });
  // What was published elsewhere: the next record must have a higher number than that.
  await names.record(own.publicKey.toCID() as never, { signal }).catch(unlessUnknown);
  return { ...described(site, nameOf(own)), known };
}

/**
 * Moves a site to a new key: the record of the old one leads its readers to that for as long as this folder is used, and the new
 * one says what the old one said. Called again after it was interrupted, it goes on where it was.
 *
 * @throws {NethoodError} NO_KEY, IPNS_NOT_FOUND where the site was never published, BAD_ADDRESS for the name
 */
export async function rotateKey(
  node: Keys & Pick<Node, "blocks">,
  args: Args,
): Promise<SiteKey & { before: string; dnslink: string }> {
  const { helia, names } = node;
  const { site, own } = await ownKey(node, args);
  const { signal } = args;
  await names.record(own.publicKey.toCID() as never, { signal }).catch(unlessUnknown);
  const { from, to } = await names.rotate(labelOf(site), nextLabel(site), {
    begin: (own, last) => beginChain(node, site, own, last, signal),
    settle: ({ from }) => succeed(helia.datastore, site, from.toString(base36)),
  }, { signal });
  return { ...described(site, to.toString(base36)), before: from.toString(base36) };
}

/** The first version under a new key: what was published last under the one before. */
async function beginChain(
  { helia, blocks }: Pick<Node, "helia" | "blocks">,
  site: string,
  { key, newest }: OwnKey,
  { value, ttl }: IpnsRecord,
  signal: AbortSignal | undefined,
): Promise<Claim> {
  const address = parseAddress(value);
  // What Kubo has published under the key may lead elsewhere.
  if (address.namespace === "ipns" || address.path.length > 0) return { value, ttl };
  const number = (newest?.number ?? 0) + 1;
  const { cid, block } = await signVersion(key, {
    number,
    previous: newest?.cid ?? null,
    root: CID.parse(address.root),
    time: Date.now(),
    note: "the site has a new key",
  });
  await helia.blockstore.put(cid, block);
  await pinEach(helia, blocks, [cid], `/ipns/${site}`, { signal });
  return { value, ttl, version: { cid, number } };
}

/** All keys of sites, and those that were; nothing secret. */
export async function listKeys(
  { helia }: Keys,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<ListedKey[]> {
  const list: ListedKey[] = [];
  for await (const { name } of helia.keychain.listKeys({ ...(signal && { signal }) })) {
    const read = readLabel(name);
    const own = read && await exported(helia, name, signal);
    if (own) list.push({ ...read, key: nameOf(own) });
  }
  return list.sort((a, b) => a.site < b.site ? -1 : a.site > b.site ? 1 : 0);
}

/** Whose key a file has, if it is one of this node's. */
export async function ownerOf(
  { helia }: Keys,
  key: KeyObject,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<string | undefined> {
  for await (const { name } of helia.keychain.listKeys({ ...(signal && { signal }) })) {
    const own = await exported(helia, name, signal);
    if (own && isSame(fromHelia(own), key)) return readLabel(name)?.site ?? name;
  }
  return undefined;
}

async function ownKey(
  { helia }: Keys,
  { name, signal }: Args,
): Promise<SiteKey & { own: PrivateKey }> {
  const site = parseName(name);
  const own = await exported(helia, parseName(labelOf(site)), signal);
  if (own !== undefined) return { site, key: nameOf(own), own };
  throw new NethoodError("NO_KEY", `There is no key of ${site} in this folder.`, {
    hint: "It is made when the site is first published (seed), or comes by key import.",
  });
}

async function exported(
  { keychain }: Keys["helia"],
  label: string,
  signal: AbortSignal | undefined,
): Promise<PrivateKey | undefined> {
  return await unlessMissing(keychain.exportKey(label, { ...(signal && { signal }) }));
}

function described(site: string, key: string): SiteKey & { dnslink: string } {
  return { site, key, dnslink: dnsLinkLine(site, key, TTL_MS / 1000) };
}

function nameOf(key: PrivateKey): string {
  return key.publicKey.toCID().toString(base36);
}

/** Nobody has a record that is valid now. */
function unlessUnknown(error: unknown): void {
  const known = error instanceof NethoodError &&
    ["IPNS_NOT_FOUND", "IPNS_INVALID"].includes(error.code);
  if (!known) throw error;
}

function exists(site: string, key: string): NethoodError {
  return new NethoodError(
    "KEY_EXISTS",
    `There is another key of ${site} here already: /ipns/${key}.`,
    {
      hint:
        "Import into another folder (--dir); or move the site of this folder to a new key with key rotate.",
    },
  );
}
