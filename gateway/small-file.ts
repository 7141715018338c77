/** A small file that a site has for its gateway, such as `_redirects`, read whole. */
import type { FileEntry } from "../src/content/read.ts";

/** Its bytes; of one that is larger than `max`, as many zeros as are too many, without reading it. */
export async function readSmall(
  file: FileEntry,
  max: number,
  options: { signal: AbortSignal },
): Promise<Uint8Array> {
  // A size that is claimed falsely is noticed by the reader.
  const bytes = new Uint8Array(Math.min(file.size, max + 1));
  if (file.size > max) return bytes;
  let at = 0;
  for await (const chunk of file.bytes(undefined, options)) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
