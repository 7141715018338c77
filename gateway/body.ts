/** A file's bytes as a response body, which is read no faster than the client takes it. */

export interface BodyOptions {
  /** Aborted when the client leaves, so that a read that is under way ends too. */
  client: AbortController;
  /** Whether a body that fails ends, short of its `Content-Length`, rather than errors. */
  endEarly: boolean;
  /** Cuts the connection, which says the same of a body that has no length. */
  cut?: (() => void) | undefined;
  /** Most bytes that are given to the server at once. Default: {@link PIECE_BYTES}. */
  piece?: number | undefined;
  onFailure: (error: unknown) => void;
}

/**
 * Bytes that are given to the server at once. A whole block of 1 MiB is no faster than its parts: while the server writes one
 * part to the socket, the next is on its way, and with the whole it would wait in between (Deno 2.9: a third of the rate).
 * Node's server waits between any two of them, and wants them large (Node 24: 1.7 times the rate with whole blocks).
 */
const PIECE_BYTES = 256 * 1024;

/** @param first the bytes that were read already */
export function createBody(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
  { client, endEarly, cut, piece = PIECE_BYTES, onFailure }: BodyOptions,
): ReadableStream<Uint8Array> {
  let next: Uint8Array | undefined = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = next ?? (await rest.next()).value;
        if (chunk === undefined) return controller.close();
        controller.enqueue(chunk.subarray(0, piece));
        next = chunk.byteLength > piece ? chunk.subarray(piece) : undefined;
      } catch (error) {
        onFailure(error);
        // Either way the client sees that it has not all of it.
        cut?.();
        if (!endEarly && !cut) throw error;
        if (!client.signal.aborted) controller.close();
      }
    },
    async cancel() {
      client.abort(new DOMException("The client has left.", "AbortError"));
      await rest.return(undefined);
    },
  });
}

/** From here on it costs more to copy bytes than to set up a stream of them. */
const COPIED_BYTES = 64 * 1024;

/** Bytes as a body: a Response copies what it is given in one piece, but passes on what a stream gives it. */
export function inOnePiece(bytes: Uint8Array | null): BodyInit | null {
  if (bytes === null || bytes.byteLength < COPIED_BYTES) return bytes as BodyInit | null;
  let sent = 0;
  const send = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    controller.enqueue(bytes.subarray(sent, sent += PIECE_BYTES));
    if (sent >= bytes.byteLength) controller.close();
  };
  return new ReadableStream({ start: send, pull: send });
}
