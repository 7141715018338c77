/** What a tracker is asked about: a root, an IPNS key, or a site by its name. */
import { Buffer } from "node:buffer";
import type { CID } from "multiformats/cid";
import { parseCid, parseKey, parseName } from "../content/address.ts";

/** The longest multihash that is looked for, in bytes: 64 of a hash, and what it is. Longer ones carry content themselves. */
const MAX_MULTIHASH = 68;

/** Texts that are remembered: what many have is announced and asked for all the time. */
const MAX_KNOWN = 20_000;

const known = new Map<string, Key>();

export interface Key {
  /** As it was written: `bafy…`, `/ipns/k51…` or `/ipns/docs.example.org`. */
  text: string;
  /** The same for every way to write it: a multihash in base64url, or `/ipns/` and a DNS name. */
  id: string;
}

/**
 * A key in any way to write it: a CID of any version, codec or base, `/ipns/` and an IPNS key or a DNS name.
 *
 * @throws {NethoodError} BAD_ADDRESS
 * @throws {RangeError} for a CID that is its own content
 */
export function parseTrackerKey(text: string): Key {
  let key = known.get(text);
  if (key === undefined) {
    key = parse(text);
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(text, key);
  }
  return key;
}

function parse(text: string): Key {
  if (!text.startsWith("/ipns/")) return { text, id: keyId(parseCid(text)) };
  const root = text.slice("/ipns/".length);
  const key = parseKey(root);
  return { text, id: key === undefined ? `/ipns/${parseName(root)}` : keyId(key) };
}

/** What a block, a root or an IPNS key is found by: the hash alone, since codec and version say nothing of where it is. */
export function keyId({ multihash: { bytes } }: Pick<CID, "multihash">): string {
  if (bytes.byteLength > MAX_MULTIHASH) {
    throw new RangeError("This CID carries its content itself.");
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
