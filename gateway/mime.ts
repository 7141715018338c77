/** Content types: by the name first, by the bytes where the name says nothing. */
import mime from "mime";

/** How much of a file's beginning is looked at; a block of any size holds as much. */
export const HEAD_BYTES = 4096;

/** Whose encoding a header may name; JSON is not among them, for it is always UTF-8 (RFC 8259, section 11). */
const TEXT = /^text\/|^application\/(javascript|xml)$|\+xml$/;

/**
 * @param name the last segment of the path
 * @param head gives the first bytes of the file; asked only where they matter, for they may be far away
 */
export async function contentType(name: string, head: () => Bytes): Promise<string> {
  const type = mime.getType(name) ?? sniff(await head());
  // A page that is not UTF-8 names its encoding itself; a header that said otherwise would win over it.
  return TEXT.test(type) && isUtf8(await head()) ? `${type}; charset=utf-8` : type;
}

type Bytes = Uint8Array | Promise<Uint8Array>;

/** The few formats that are common without an extension (WHATWG mimesniff, tables in sections 6 and 7). */
function sniff(head: Uint8Array): string {
  // One character a byte; a decoder of "latin1" is one of windows-1252 and would change some.
  const start = String.fromCharCode(...head.subarray(0, 512));
  if (/^\s*<(!doctype html|html|head|body|script|!--)/i.test(start)) return "text/html";
  if (/^\s*<\?xml/.test(start)) return /<svg/.test(start) ? "image/svg+xml" : "text/xml";
  if (isJson(head)) return "application/json";
  if (start.startsWith("%PDF-")) return "application/pdf";
  if (start.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (start.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (/^GIF8[79]a/.test(start)) return "image/gif";
  if (/^RIFF....WEBP/s.test(start)) return "image/webp";
  if (/^....ftyp/s.test(start)) return "video/mp4";
  if (start.startsWith("\x1a\x45\xdf\xa3")) return "video/webm";
  if (start.startsWith("\0asm")) return "application/wasm";
  // deno-lint-ignore no-control-regex
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(start) ? "application/octet-stream" : "text/plain";
}

/** Whether this is JSON: an object or an array; where it is cut, one that begins as objects do. */
function isJson(head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head.subarray(0, HEAD_BYTES));
  if (!/^\s*[{[]/.test(text)) return false;
  if (head.byteLength >= HEAD_BYTES) return /^\s*(?:\[\s*)*\{\s*"(?:[^"\\]|\\.)*"\s*:/.test(text);
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The only thing that it throws for.
    return false;
  }
}

/** Whether the beginning of a file is UTF-8; one that goes on may be cut in the middle of a character. */
function isUtf8(head: Uint8Array): boolean {
  try {
    const stream = head.byteLength >= HEAD_BYTES;
    new TextDecoder("utf-8", { fatal: true }).decode(head.subarray(0, HEAD_BYTES), { stream });
    return true;
  } catch {
    // The only thing a fatal decoder throws for.
    return false;
  }
}
