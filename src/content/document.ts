/** Documents: blocks of JSON or CBOR, with links to other blocks in them (ipld.io/specs/codecs). */
import * as dagCbor from "@ipld/dag-cbor";
import * as dagJson from "@ipld/dag-json";
import * as dagPb from "@ipld/dag-pb";
import * as Block from "multiformats/block";
import { CID } from "multiformats/cid";
import * as json from "multiformats/codecs/json";
import { NethoodError } from "../errors.ts";
import { excerpt } from "../printable.ts";
import { broken } from "./unixfs.ts";

/** What a document is written in, by the name that requests use. */
export type DocumentFormat = "dag-cbor" | "dag-json" | "cbor" | "json";

/** Plain CBOR, whose tag 42 is a link as it is in DAG-CBOR. */
const CBOR = 0x51;

const FORMATS = new Map<number, { format: DocumentFormat; decode(block: Uint8Array): unknown }>([
  [dagCbor.code, { format: "dag-cbor", decode: dagCbor.decode }],
  [dagJson.code, { format: "dag-json", decode: dagJson.decode }],
  [CBOR, { format: "cbor", decode: dagCbor.decode }],
  [json.code, { format: "json", decode: json.decode }],
]);

/** The format of a document; undefined for what is none. */
export function documentFormat({ code }: CID): DocumentFormat | undefined {
  return FORMATS.get(code)?.format;
}

/** @throws {NethoodError} BAD_BLOCK */
export function decodeDocument(cid: CID, block: Uint8Array): unknown {
  try {
    return FORMATS.get(cid.code)!.decode(block);
  } catch (cause) {
    throw broken(cid, "cannot be decoded", cause);
  }
}

/**
 * Follows a path inside a document, up to its first link.
 *
 * @returns the link, and what of the path is left for the block that it leads to
 * @throws {NethoodError} NOT_FOUND; UNSUPPORTED where the path ends at a value that is no link
 */
export function follow(
  cid: CID,
  block: Uint8Array,
  path: readonly string[],
): { link: CID; rest: string[] } {
  let value = decodeDocument(cid, block);
  for (const [depth, key] of path.entries()) {
    value = member(value, key);
    if (value === undefined) {
      const above = excerpt(`/${path.slice(0, depth).join("/")}`);
      throw new NethoodError(
        "NOT_FOUND",
        `The document ${cid} has nothing called "${excerpt(key)}" at ${above}.`,
        { hint: "Open the document itself to see what it has." },
      );
    }
    const link = CID.asCID(value);
    if (link) return { link, rest: path.slice(depth + 1) };
  }
  throw new NethoodError(
    "UNSUPPORTED",
    `${excerpt(`/${path.join("/")}`)} is a part of the document ${cid}, not a link to a block.`,
    { hint: "Open the whole document: parts of one are not sent." },
  );
}

function member(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return undefined;
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

/** What can have links to other blocks. */
const CODECS = [dagPb, dagCbor, dagJson, { ...dagCbor, code: CBOR }];

/** Whether a block of this codec can have links. */
export function canLink(cid: CID): boolean {
  return CODECS.some(({ code }) => code === cid.code);
}

/** The links of a block, in its own order. @throws {NethoodError} BAD_BLOCK */
export function linksOf(cid: CID, block: Uint8Array): CID[] {
  const codec = CODECS.find(({ code }) => code === cid.code);
  if (codec === undefined) return [];
  try {
    return [...Block.createUnsafe({ bytes: block, cid, codec }).links()].map(([, link]) => link);
  } catch (cause) {
    throw broken(cid, "cannot be decoded", cause);
  }
}
