/** Several ranges of a file in one body, `multipart/byteranges` (RFC 9110, section 14.6). */
import type { FileEntry } from "../src/content/read.ts";
import type { Range } from "../src/content/file.ts";

/** Longest boundary that may be (RFC 2046, section 5.1.1), less what is put before it. */
const BOUNDARY_END = 60;

export interface Multipart {
  /** The media type of the whole. */
  type: string;
  /** Bytes of the whole. */
  length: number;
  bytes(options: { signal: AbortSignal }): AsyncGenerator<Uint8Array>;
}

/** @param type the media type of the file, which each part has */
export function createMultipart(
  file: Pick<FileEntry, "cid" | "size" | "bytes">,
  ranges: readonly Range[],
  type: string,
): Multipart {
  // The same each time, so that HEAD tells what GET would; and no file has its own hash in it.
  const boundary = `nethood-${String(file.cid).slice(-BOUNDARY_END)}`;
  const encoder = new TextEncoder();
  const heads = ranges.map(({ start, end }, i) =>
    encoder.encode(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${type}\r\n` +
        `Content-Range: bytes ${start}-${end - 1}/${file.size}\r\n\r\n`,
    )
  );
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  const lengths = ranges.map(({ start, end }, i) => heads[i]!.byteLength + end - start);
  return {
    type: `multipart/byteranges; boundary=${boundary}`,
    length: lengths.reduce((sum, length) => sum + length, tail.byteLength),
    async *bytes(options) {
      for (const [i, range] of ranges.entries()) {
        let head: Uint8Array | undefined = heads[i];
        for await (const chunk of file.bytes(range, options)) {
          // Not before its first bytes are here: what nobody has is to become an honest status.
          if (head) yield head;
          head = undefined;
          yield chunk;
        }
      }
      yield tail;
    },
  };
}
