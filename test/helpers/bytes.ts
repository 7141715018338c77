/** Bytes as texts, and texts as bytes. */
import type { Entry } from "../../src/content/read.ts";
import type { Node } from "../../src/node.ts";

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** All bytes of a stream. */
export async function concat(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return new Uint8Array(await new Blob(all as BlobPart[]).arrayBuffer());
}

/** All of a stream as a text. */
export async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  return new TextDecoder().decode(await concat(source));
}

/** The text in a file. */
export async function textIn(entry: Entry): Promise<string> {
  if (entry.kind !== "file") throw new Error(`a ${entry.kind}`);
  return await textOf(entry.bytes());
}

/** The text that a node has at an address. */
export async function readText(node: Pick<Node, "open">, address: string): Promise<string> {
  return await textIn((await node.open(address)).entry);
}
