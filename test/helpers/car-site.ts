/** A small site that has every kind of block, and what of it is in a CAR file. */
import { CarReader } from "@ipld/car";
import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import * as assert from "uvu/assert";
import { utf8 } from "./bytes.ts";
import { DAG_CBOR, type MemoryBlocks, RAW } from "./memory-blocks.ts";

/** The roots and the blocks of an answer, by the names that the test gave them. */
export async function contents(
  response: Response,
  names: Record<string, CID>,
): Promise<{ roots: string[]; blocks: string[] }> {
  assert.is(response.status, 200);
  const car = await CarReader.fromBytes(new Uint8Array(await response.arrayBuffer()));
  const name = (cid: CID) =>
    Object.keys(names).find((name) => names[name]!.equals(cid)) ?? String(cid);
  const blocks: string[] = [];
  for await (const { cid } of car.blocks()) blocks.push(name(cid as CID));
  return { roots: (await car.getRoots() as CID[]).map(name), blocks };
}

export type Site = Record<"a" | "b" | "c" | "film" | "small" | "doc" | "root", CID>;

/** A folder with a file of four parts of ten bytes, two of them alike, a small file and a document. */
export async function site(blocks: MemoryBlocks): Promise<Site> {
  const [a, b, c] = await Promise.all(
    ["a", "b", "c"].map((text) => blocks.put(RAW, utf8(text.repeat(10)))),
  ) as [CID, CID, CID];
  const parts = [a, b, a, c];
  const film = await blocks.node({
    type: "FILE",
    fileSize: 40n,
    blockSizes: parts.map(() => 10n),
    links: parts.map((cid) => ({ cid })),
  });
  const small = await blocks.put(RAW, utf8("small"));
  const doc = await blocks.put(DAG_CBOR, dagCbor.encode({ files: { film, small }, none: 1 }));
  const root = await blocks.node({
    type: "DIRECTORY",
    links: [{ cid: film, name: "film" }, { cid: doc, name: "doc" }],
  });
  return { a, b, c, film, small, doc, root };
}
