/** An answer that many are sent: its bytes are in memory once, to however many they are on their way. */
import { inOnePiece } from "./body.ts";
import type { ServerTraits } from "./file.ts";

export class Answer {
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
  readonly etag: string | null;
  readonly #headers: Headers;
  #body: Uint8Array | null;
  /** What clones are made of; it has the body from then on. */
  #whole: Response | undefined;
  /** The headers as an object, and in one row, until one changes. */
  #fields: Record<string, string> | undefined;
  #row: string[] | undefined;

  /** @param headers copied: whoever else has them may change them */
  constructor(status: number, headers: Headers, body: Uint8Array | null) {
    this.status = status;
    this.bytes = body?.byteLength ?? 0;
    this.#headers = new Headers(headers);
    this.etag = headers.get("etag");
    this.#body = body;
  }

  /** Bytes of its header values, of which a site can add some. */
  get headerBytes(): number {
    let bytes = 0;
    this.#headers.forEach((value) => bytes += value.length);
    return bytes;
  }

  get(name: string): string | null {
    return this.#headers.get(name);
  }

  set(name: string, value: string): void {
    this.#headers.set(name, value);
    this.#whole?.headers.set(name, value);
    this.#fields = this.#row = undefined;
  }

  /** The header fields in one row, name after value; and the body, unless a clone has it. Neither may be changed. */
  get parts(): { row: string[]; body: Uint8Array | null } | undefined {
    if (this.#whole !== undefined) return undefined;
    const row = this.#row ??= [...this.#headers].flat();
    return { row, body: this.#body };
  }

  /** The answer without its body. */
  head(): Response {
    return new Response(null, { status: this.status, headers: this.#headers });
  }

  /** The answer for one more client. */
  respond(traits: ServerTraits = {}): Response {
    const { status } = this;
    const { shares, handedOver } = traits;
    if (shares === "clones" || this.#whole !== undefined) {
      handedOver?.(this.bytes);
      return this.#clone();
    }
    // An object has no room for more than one header of a name; this is the only one that may come twice.
    if (shares === "bytes" && !this.#headers.has("set-cookie")) {
      const headers = this.#fields ??= Object.fromEntries(this.#headers);
      return new Response(this.#body as BodyInit | null, { status, headers });
    }
    // A copy, since a server's own Response may keep the headers that it is given.
    const headers = new Headers(this.#headers);
    return new Response(inOnePiece(this.#body), { status, headers });
  }

  #clone(): Response {
    if (this.#whole === undefined) {
      const { status } = this;
      this.#whole = new Response(this.#body as BodyInit | null, { status, headers: this.#headers });
      // It has a copy, and one is enough.
      this.#body = null;
    }
    return this.#whole.clone();
  }
}
